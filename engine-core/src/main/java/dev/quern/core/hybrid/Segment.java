package dev.quern.core.hybrid;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Slot;
import dev.quern.core.StepTime;
import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive operations of a batch that run on one side.
 *
 * @param side where they run
 * @param compiled the operations as a batch of that side's backend
 * @param bindings its slots
 * @param counts counts of the whole batch, and what they are here
 * @param borders what crosses the border of this segment
 * @param memory constant buffers that operations touch, and whether they write them
 * @param origins the operations of the whole batch that those here stand for
 */
record Segment(
    Side side,
    CompiledBatch compiled,
    Bindings bindings,
    Map<Slot.Count, Slot.Count> counts,
    List<Border> borders,
    Map<HybridMemory, Boolean> memory,
    Map<Op, Op> origins) {
  /**
   * Bytes that come from outside of a segment, or are used outside of it.
   *
   * @param slot the slot in the whole batch
   * @param inner a tensor on the slot that stands for it in the segment
   * @param whole a tensor of the whole batch that fills the slot, if there is one
   * @param between where a temporary of the whole batch is kept; null for what is bound at submit
   * @param incoming whether it may hold something when the segment starts
   * @param outgoing whether the segment writes it
   */
  record Border(
      Slot.Bytes slot,
      Tensor inner,
      @Nullable Tensor whole,
      @Nullable HybridMemory between,
      boolean incoming,
      boolean outgoing) {
    private HybridMemory memory(HybridBackend backend, Bindings outer) {
      return between != null ? between : backend.memory(outer.get(slot));
    }

    private Buffer current(HybridMemory memory, Side side, Bindings outer) {
      if (between == null) {
        // Rows that are not live keep what they hold, so all of it must be there.
        return memory.fresh(side, memory.bytes());
      }
      return incoming ? memory.fresh(side, live(outer)) : memory.on(side);
    }

    private long live(Bindings outer) {
      return whole == null ? slot.bytes() : outer.liveRows(whole) * whole.rowBytes();
    }
  }

  /** Brings what it needs to its side and starts it. */
  <T> T run(HybridBackend backend, Bindings outer, Function<Bindings, T> start) {
    counts.forEach((whole, own) -> bindings.set(own, outer.get(whole)));
    memory.keySet().forEach(buffer -> buffer.fresh(side, buffer.bytes()));
    for (Border border : borders) {
      HybridMemory buffer = border.memory(backend, outer);
      bindings.set(border.inner, border.current(buffer, side, outer));
    }
    T result = start.apply(bindings);
    memory.forEach((buffer, written) -> {
      if (written) {
        buffer.wrote(side);
      }
    });
    for (Border border : borders) {
      if (border.outgoing) {
        border.memory(backend, outer).wrote(side);
      }
    }
    return result;
  }

  /** A time of this segment as one of the whole batch. */
  StepTime whole(StepTime time) {
    List<Op> ops = time.ops().stream().map(op -> origins.getOrDefault(op, op)).toList();
    return new StepTime(ops, time.kernel(), time.nanos());
  }

  /** The buffers between segments that this one uses. */
  void collectBetween(Set<HybridMemory> all) {
    borders.stream().map(Border::between).filter(m -> m != null).forEach(all::add);
  }
}
