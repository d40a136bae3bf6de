package dev.quern.core.plan;

import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import java.util.List;

/**
 * The bytes that one step reads and writes.
 *
 * @param reads ranges read
 * @param writes ranges written; a write at a place that depends on a slot or on data counts as the
 *     whole tensor
 */
public record Access(List<Range> reads, List<Range> writes) {
  public Access {
    reads = List.copyOf(reads);
    writes = List.copyOf(writes);
  }

  /** What an operation reads and writes. */
  public static Access of(Op op) {
    return new Access(
        op.reads().stream().map(Range::of).toList(), op.writes().stream().map(Range::of).toList());
  }

  /** Whether this step must not run beside or before {@code earlier}. */
  public boolean dependsOn(Access earlier) {
    return meets(reads, earlier.writes)
        || meets(writes, earlier.reads)
        || meets(writes, earlier.writes);
  }

  private static boolean meets(List<Range> some, List<Range> others) {
    for (Range one : some) {
      for (Range other : others) {
        if (one.overlaps(other)) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * A range of bytes.
   *
   * @param storage the buffer or slot
   * @param offset first byte
   * @param bytes number of bytes
   */
  public record Range(Storage storage, long offset, long bytes) {
    /** The bytes of a tensor. */
    public static Range of(Tensor tensor) {
      return new Range(tensor.storage(), tensor.offset(), tensor.bytes());
    }

    /** The whole of a slot. */
    public static Range of(Slot.Bytes slot) {
      return new Range(slot, 0, slot.bytes());
    }

    boolean overlaps(Range other) {
      return storage.equals(other.storage)
          && offset < other.offset + other.bytes
          && other.offset < offset + bytes;
    }
  }
}
