package dev.quern.opencl;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Operations on a {@link SplitBuffer}: the same operation on each part, by whatever kernel takes
 * it, and its results put in their place. So no kernel knows of parts.
 */
final class SplitLowering {
  private final Geometry geometry;
  private final Function<Op, KernelTable.Choice> table;
  private int nextSlot = -1; // those of the batch count up from 0

  /**
   * A lowering for one batch.
   *
   * @param table chooses the kernel for a part
   */
  SplitLowering(Geometry geometry, Function<Op, KernelTable.Choice> table) {
    this.geometry = geometry;
    this.table = table;
  }

  /**
   * Ids that are looked up in a part.
   *
   * @param ids the ids
   * @param first the first id of the part
   * @param count how many ids it has
   * @param all how many ids there are
   */
  private record Lookup(Tensor ids, long first, long count, long all) {}

  /** The steps of an operation on split weights, or null if it reads none. */
  KernelTable.@Nullable Choice choose(Op op) {
    for (Tensor tensor : op.reads()) {
      if (tensor.storage() instanceof SplitBuffer split) {
        List<SplitBuffer.Piece> pieces = split.pieces(tensor);
        return switch (op) {
          case Projection projection -> projection(projection, pieces);
          case ExpertMatMul experts -> experts(experts, pieces);
          case Embed embed -> embed(embed, pieces);
          default -> {
            String reason = "%s lies in %d allocations".formatted(tensor, pieces.size());
            yield new KernelTable.Choice(
                List.of(new Step.Host(op, List.of(reason))), List.of(reason));
          }
        };
      }
    }
    return null;
  }

  private KernelTable.Choice projection(Projection op, List<SplitBuffer.Piece> pieces) {
    Parts parts = new Parts(op);
    long rows = op.x().shape().rows();
    for (SplitBuffer.Piece piece : pieces) {
      long first = piece.rows().first();
      long count = piece.rows().count();
      Tensor w = part(op.w(), piece, Shape.of(count, op.w().shape().last()));
      if (rows == 1) {
        parts.add(Projection.of(op.x(), w, columns(op.y(), first, count)));
      } else {
        Tensor y = temporary(Shape.of(rows, count), WeightFormats.F32, op.y());
        parts.add(Projection.of(op.x(), w, y));
        parts.place(y, op.y(), first, null);
      }
    }
    return parts.choice(pieces.size());
  }

  private KernelTable.Choice embed(Embed op, List<SplitBuffer.Piece> pieces) {
    Parts parts = new Parts(op);
    long all = op.table().shape().rows();
    for (SplitBuffer.Piece piece : pieces) {
      long count = piece.rows().count();
      Lookup lookup = new Lookup(op.tokens(), piece.rows().first(), count, all);
      Tensor table = part(op.table(), piece, Shape.of(count, op.table().shape().last()));
      Tensor y = temporary(op.y().shape(), WeightFormats.F32, op.y());
      parts.add(new Embed(parts.within(lookup), table, y));
      parts.place(y, op.y(), 0, lookup);
    }
    return parts.choice(pieces.size());
  }

  private KernelTable.Choice experts(ExpertMatMul op, List<SplitBuffer.Piece> pieces) {
    Parts parts = new Parts(op);
    long outputs = op.w().shape().dim(1);
    for (SplitBuffer.Piece piece : pieces) {
      long expert = piece.rows().first() / outputs;
      long column = piece.rows().first() % outputs;
      // Either whole matrices, or rows of a single one.
      long count = Math.max(1, piece.rows().count() / outputs);
      long columns = piece.rows().count() / count;
      Lookup lookup = new Lookup(op.ids(), expert, count, op.w().shape().rows());
      Tensor w = part(op.w(), piece, Shape.of(count, columns, op.w().shape().last()));
      Shape shape = Shape.of(op.y().shape().rows(), op.y().shape().dim(1), columns);
      Tensor y = temporary(shape, WeightFormats.F32, op.y());
      parts.add(new ExpertMatMul(op.x(), w, parts.within(lookup), y));
      parts.place(y, op.y(), column, lookup);
    }
    return parts.choice(pieces.size());
  }

  private static Tensor part(Tensor whole, SplitBuffer.Piece piece, Shape shape) {
    String name = "%s[%d..]".formatted(whole.name(), piece.rows().first());
    return Tensor.of(name, piece.buffer(), piece.offset(), shape, whole.format());
  }

  /** Columns of a tensor of one row. */
  private static Tensor columns(Tensor y, long first, long count) {
    long offset = y.offset() + y.format().bytes(first);
    return live(Tensor.of(y.name(), y.storage(), offset, Shape.of(1, count), y.format()), y);
  }

  private Tensor temporary(Shape shape, WeightFormat format, Tensor rowsOf) {
    Slot.Bytes slot = new Slot.Bytes(nextSlot--, "part", format.bytes(shape.elements()));
    return live(Tensor.of("part", slot, shape, format), rowsOf);
  }

  private static Tensor live(Tensor tensor, Tensor rowsOf) {
    Slot.@Nullable Count rows = rowsOf.liveRows();
    return rows == null ? tensor : tensor.withLiveRows(rows);
  }

  /** The steps of one operation. */
  private final class Parts {
    private final Op op;
    private final List<Step> steps = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();

    Parts(Op op) {
      this.op = op;
    }

    void add(Op part) {
      KernelTable.Choice choice = table.apply(part);
      steps.addAll(choice.steps());
      choice.refused().stream().filter(r -> !refused.contains(r)).forEach(refused::add);
    }

    /** The ids as the part counts them; of other parts, ones that no part has. */
    Tensor within(Lookup lookup) {
      Tensor ids = lookup.ids();
      Tensor own = temporary(ids.shape(), WeightFormats.I32, ids);
      Body body = new Body("part_ids", List.of(), "op/part-ids.clh", new TreeMap<>(), 0);
      steps.add(
          StepBuilder.of(op, body, ids)
              .integers(ids.shape().rowElements(), lookup.first(), lookup.count())
              .operands(ids, own)
              .touching(List.of(ids), List.of(own))
              .tasks(geometry.groupsFor(ids.shape().elements())));
      return own;
    }

    /** Copies the results of a part to their columns, all or those whose ids are in the part. */
    void place(Tensor from, Tensor to, long column, @Nullable Lookup lookup) {
      Body body = new Body("part_place", List.of(), "op/part-place.clh", new TreeMap<>(), 0);
      long width = from.shape().last();
      steps.add(
          StepBuilder.of(op, body, to)
              .integers(
                  to.shape().rowElements() / to.shape().last(),
                  width,
                  to.shape().last(),
                  column,
                  lookup == null ? 0 : lookup.first(),
                  lookup == null ? 0 : lookup.count(),
                  lookup == null ? 0 : lookup.all())
              .operands(from, to, lookup == null ? null : lookup.ids())
              .touching(lookup == null ? List.of(from) : List.of(from, lookup.ids()), List.of(to))
              .tasks(geometry.groupsFor(from.shape().elements())));
    }

    KernelTable.Choice choice(int pieces) {
      refused.addFirst("one step: the weight lies in %d allocations".formatted(pieces));
      return new KernelTable.Choice(steps, refused);
    }
  }
}
