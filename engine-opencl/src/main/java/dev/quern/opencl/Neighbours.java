package dev.quern.opencl;

import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.Add;
import dev.quern.core.op.Op;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.plan.Access;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Which operations of a batch read what others write: what one kernel can do together. */
final class Neighbours {
  private final List<Op> ops;
  private final Set<Slot.Bytes> bound;
  private final long mostRows;
  private final IdentityHashMap<Op, Integer> places = new IdentityHashMap<>();
  private final Map<Storage, int[]> readers = new HashMap<>();
  private final Map<Storage, int[]> writers = new HashMap<>();

  /**
   * The operations of a batch.
   *
   * @param ops in the order of recording
   * @param bound slots that others see
   */
  Neighbours(List<Op> ops, Set<Slot.Bytes> bound) {
    this.ops = ops;
    this.bound = bound;
    mostRows = mostRows(ops);
    for (int i = 0; i < ops.size(); i++) {
      places.put(ops.get(i), i);
      int[] place = {i};
      ops.get(i).reads().forEach(t -> readers.merge(t.storage(), place, Neighbours::joined));
      ops.get(i).writes().forEach(t -> writers.merge(t.storage(), place, Neighbours::joined));
    }
  }

  private static int[] joined(int[] some, int[] more) {
    return IntStream.concat(IntStream.of(some), IntStream.of(more)).toArray();
  }

  /** Most rows of any operation of the batch. */
  long mostRows() {
    return mostRows;
  }

  /** Most rows of any of these operations. */
  static long mostRows(List<Op> ops) {
    return ops.stream()
        .flatMap(op -> op.writes().stream())
        .filter(t -> t.shape().rank() < 4) // not a cache
        .mapToLong(t -> t.shape().rows())
        .max()
        .orElse(1);
  }

  /**
   * A later operation of this type that reads all of {@code y}, alone writes what it writes, and
   * may come right after {@code op}, which writes {@code y}; or null.
   */
  <T extends Op> @Nullable T partner(Op op, Tensor y, Class<T> type) {
    Integer at = places.get(op);
    if (at == null) {
      return null;
    }
    for (int place : readers.getOrDefault(y.storage(), new int[0])) {
      if (place > at && type.isInstance(ops.get(place))) {
        Op later = ops.get(place);
        return later.reads().stream().anyMatch(t -> same(t, y))
                && later.writes().stream().allMatch(this::writtenOnce)
                && free(at, place)
            ? type.cast(later)
            : null;
      }
    }
    return null;
  }

  /** The norm of a sum, if one kernel may do both, or null. */
  @Nullable RmsNorm normOf(Add op) {
    RmsNorm norm = partner(op, op.y(), RmsNorm.class);
    return norm != null
            && op.a().shape().equals(op.b().shape())
            && !norm.y().storage().equals(op.y().storage())
        ? norm
        : null;
  }

  /** Whether {@code y} goes into one sum alone, of which a norm is taken by the same kernel. */
  boolean isSummand(Op op, Tensor y) {
    Add add = partner(op, y, Add.class);
    return add != null
        && !add.a().storage().equals(add.b().storage())
        && onlyFor(op, y, List.of(add))
        && normOf(add) != null;
  }

  /** The first operation of this type, or null. */
  <T extends Op> @Nullable T first(Class<T> type) {
    return ops.stream().filter(type::isInstance).map(type::cast).findFirst().orElse(null);
  }

  private boolean writtenOnce(Tensor tensor) {
    return writers.getOrDefault(tensor.storage(), new int[0]).length == 1;
  }

  /** Whether nothing between the two must run before the later one. */
  private boolean free(int at, int place) {
    Access later = Access.of(ops.get(place));
    return ops.subList(at + 1, place).stream().noneMatch(op -> later.dependsOn(Access.of(op)));
  }

  /** Whether two tensors are the same numbers, whatever their shape within a row. */
  static boolean same(Tensor a, Tensor b) {
    return a.storage().equals(b.storage())
        && a.offset() == b.offset()
        && a.bytes() == b.bytes()
        && a.shape().rows() == b.shape().rows()
        && Objects.equals(a.liveRows(), b.liveRows());
  }

  /** Those that read some of what {@code op}, and it alone, writes to {@code y}; else nothing. */
  Stream<Op> readers(Op op, Tensor y) {
    return places.containsKey(op) && writtenOnce(y)
        ? IntStream.of(readers.getOrDefault(y.storage(), new int[0])).mapToObj(ops::get)
        : Stream.empty();
  }

  /** Whether what {@code op} writes to {@code y} is for these operations only. */
  boolean onlyFor(Op op, Tensor y, Collection<? extends Op> some) {
    return y.storage() instanceof Slot.Bytes slot
        && !bound.contains(slot)
        && writtenOnce(y)
        && places.containsKey(op)
        && readers(op, y)
            .map(places::get)
            .allMatch(some.stream().map(places::get).collect(Collectors.toSet())::contains);
  }

  /** Operations of this type that read the same tensor as this one does, itself among them. */
  <T extends Op> List<T> siblings(T op, Tensor x, Class<T> type) {
    return places.containsKey(op)
        ? IntStream.of(readers.getOrDefault(x.storage(), new int[0]))
            .mapToObj(ops::get)
            .filter(other -> type.isInstance(other) && other.reads().contains(x))
            .map(type::cast)
            .toList()
        : List.of(op);
  }
}
