package dev.quern.cpu;

import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What the steps of a batch see during a submit: bytes by storage number, counts by slot. */
final class Frame {
  final MemorySegment[] memory;
  final int[] counts;

  Frame(MemorySegment[] memory, int slots) {
    this.memory = memory;
    this.counts = new int[slots];
  }

  /** The live rows of a tensor. */
  int rows(Rows rows) {
    return rows.slot < 0 ? rows.capacity : counts[rows.slot];
  }

  /**
   * How many rows an activation has.
   *
   * @param capacity the most
   * @param slot number of the slot that says how many are live, or −1 if all are
   */
  record Rows(int capacity, int slot) {
    static Rows of(Tensor tensor) {
      Slot.@Nullable Count live = tensor.liveRows();
      return new Rows(Math.toIntExact(tensor.shape().rows()), live == null ? -1 : live.id());
    }
  }
}
