package dev.quern.core.hybrid;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cuts a batch into segments of consecutive operations that run on the same side. */
final class Segments {
  private final HybridBackend backend;
  private final CommandBatch batch;
  private final CompileOptions options;
  private final Set<Slot.Bytes> bound;
  private final List<Side> sides;

  /** The last operation that touches a slot. */
  private final Map<Slot.Bytes, Integer> lastUse = new HashMap<>();

  /** What is kept between segments. */
  private final Map<Slot.Bytes, HybridMemory> between = new HashMap<>();

  /** Slots that hold something after the segments made so far. */
  private final Set<Slot.Bytes> written = new HashSet<>();

  private Segments(HybridBackend backend, CommandBatch batch, CompileOptions options) {
    this.backend = backend;
    this.batch = batch;
    this.options = options;
    bound = batch.bound();
    sides = sides(batch, backend.placement());
    for (int i = 0; i < batch.ops().size(); i++) {
      for (Slot.Bytes slot : slots(batch.ops().get(i))) {
        lastUse.put(slot, i);
      }
    }
  }

  /** Cuts and compiles; if that fails, nothing is kept. */
  static List<Segment> compile(HybridBackend backend, CommandBatch batch, CompileOptions options) {
    Segments segments = new Segments(backend, batch, options);
    List<Segment> compiled = new ArrayList<>();
    try {
      int from = 0;
      for (int i = 1; i <= batch.ops().size(); i++) {
        if (i == batch.ops().size() || segments.sides.get(i) != segments.sides.get(from)) {
          compiled.add(segments.new Part(from, i).compile());
          from = i;
        }
      }
      return compiled;
    } catch (RuntimeException | Error e) {
      compiled.forEach(segment -> segment.compiled().close());
      segments.between.values().forEach(Buffer::close);
      throw e;
    }
  }

  /** Where each operation runs. */
  static List<Side> sides(CommandBatch batch, Placement placement) {
    List<Optional<Side>> homes = batch.ops().stream().map(Segments::home).toList();
    int last = homes.size() - 1;
    while (last >= 0 && homes.get(last).isEmpty()) {
      last--;
    }
    Side now = placement.elsewhere();
    List<Side> sides = new ArrayList<>();
    for (int i = 0; i < homes.size(); i++) {
      now = i > last ? placement.elsewhere() : homes.get(i).orElse(now);
      sides.add(now);
    }
    return sides;
  }

  private static Optional<Side> home(Op op) {
    return Stream.concat(op.writes().stream(), op.reads().stream())
        .map(Tensor::storage)
        .filter(Homed.class::isInstance)
        .flatMap(storage -> ((Homed) storage).home().stream())
        .findFirst();
  }

  private static List<Slot.Bytes> slots(Op op) {
    return Stream.concat(op.reads().stream(), op.writes().stream())
        .map(Tensor::storage)
        .filter(Slot.Bytes.class::isInstance)
        .map(Slot.Bytes.class::cast)
        .toList();
  }

  /** A segment in the making: operations {@code from} to {@code to - 1}. */
  private final class Part {
    private final int from;
    private final int to;
    private final Side side;
    private final List<Slot> slots = new ArrayList<>();
    private final Map<Slot.Count, Slot.Count> counts = new LinkedHashMap<>();
    private final Map<Slot.Bytes, Slot.Bytes> bytes = new LinkedHashMap<>();

    /** For each slot a tensor of the whole batch, one that fills the slot if there is one. */
    private final Map<Slot.Bytes, Tensor> tensors = new HashMap<>();

    private final Set<Slot.Bytes> writes = new HashSet<>();
    private final Map<HybridMemory, Boolean> memory = new LinkedHashMap<>();

    Part(int from, int to) {
      this.from = from;
      this.to = to;
      side = sides.get(from);
    }

    Segment compile() {
      Map<Op, Op> origins = new LinkedHashMap<>();
      List<Op> ops = new ArrayList<>();
      for (Op op : batch.ops().subList(from, to)) {
        Op own = own(op);
        ops.add(own);
        origins.put(own, op);
      }
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      Map<String, Tensor> outputs = new LinkedHashMap<>();
      List<Segment.Border> borders = new ArrayList<>();
      bytes.forEach((whole, own) -> {
        boolean incoming = bound.contains(whole) || written.contains(whole);
        boolean outgoing = writes.contains(whole) && (bound.contains(whole) || usedLater(whole));
        if (incoming || outgoing) {
          Segment.Border border = border(whole, incoming, outgoing);
          borders.add(border);
          boolean input = batch.inputs().values().stream().anyMatch(t -> t.storage().equals(whole));
          boolean computed = outgoing && !input && !written.contains(whole);
          (computed ? outputs : inputs).put(own.name() + "." + own.id(), border.inner());
        }
      });
      boolean all = from == 0 && to == batch.ops().size();
      String name = all ? batch.name() : "%s [%d..%d]".formatted(batch.name(), from, to);
      CommandBatch own = new CommandBatch(name, ops, slots, inputs, outputs);
      CompiledBatch compiled = backend.on(side).compile(own, options);
      written.addAll(writes);
      Bindings bindings = compiled.batch().bindings();
      return new Segment(side, compiled, bindings, counts, borders, memory, origins);
    }

    private boolean usedLater(Slot.Bytes whole) {
      return lastUse.getOrDefault(whole, -1) >= to;
    }

    private Segment.Border border(Slot.Bytes whole, boolean incoming, boolean outgoing) {
      Tensor tensor = tensors.get(whole);
      if (tensor == null) {
        throw new IllegalStateException("slot %s has no tensor".formatted(whole.name()));
      }
      HybridMemory kept = null;
      if (!bound.contains(whole)) {
        kept = between.computeIfAbsent(whole, slot -> backend.between(slot.name(), slot.bytes()));
        kept.on(side);
      } else {
        backend.rehearse(side, whole);
      }
      Tensor filling = tensor.offset() == 0 && tensor.bytes() == whole.bytes() ? tensor : null;
      return new Segment.Border(whole, own(tensor), filling, kept, incoming, outgoing);
    }

    private Op own(Op op) {
      op.writes().forEach(this::note);
      return op.map(this::own);
    }

    /** Takes note of what an operation writes. */
    private void note(Tensor tensor) {
      if (tensor.storage() instanceof Slot.Bytes slot) {
        writes.add(slot);
      } else if (tensor.storage() instanceof HybridMemory constant) {
        memory.put(constant, true);
      }
    }

    /** A tensor of the whole batch as the side's backend knows it. */
    private Tensor own(Tensor tensor) {
      return switch (tensor.storage()) {
        case HybridWeights weights -> {
          Tensor there = weights.on(side);
          long offset = there.offset() + tensor.offset();
          yield view(tensor, there.storage(), offset);
        }
        case HybridMemory constant -> {
          memory.putIfAbsent(constant, false);
          yield view(tensor, constant.on(side), tensor.offset());
        }
        case Buffer other ->
            throw new IllegalArgumentException(
                "buffer %s: must belong to this hybrid but is a %s"
                    .formatted(other.name(), other.getClass().getName()));
        case Slot.Bytes slot -> {
          tensors.merge(slot, tensor, (known, other) -> wider(known, other));
          yield view(tensor, own(slot), tensor.offset());
        }
      };
    }

    private static Tensor wider(Tensor known, Tensor other) {
      return other.bytes() > known.bytes() ? other : known;
    }

    private Tensor view(Tensor tensor, Storage storage, long offset) {
      Tensor plain = Tensor.of(tensor.name(), storage, offset, tensor.shape(), tensor.format());
      Slot.@Nullable Count live = tensor.liveRows();
      return live == null ? plain : plain.withLiveRows(own(live));
    }

    private Slot.Bytes own(Slot.Bytes whole) {
      Slot.Bytes own = bytes.get(whole);
      if (own == null) {
        own = new Slot.Bytes(slots.size(), whole.name(), whole.bytes());
        slots.add(own);
        bytes.put(whole, own);
      }
      return own;
    }

    private Slot.Count own(Slot.Count whole) {
      Slot.Count own = counts.get(whole);
      if (own == null) {
        own = new Slot.Count(slots.size(), whole.name(), whole.max());
        slots.add(own);
        counts.put(whole, own);
      }
      return own;
    }
  }
}
