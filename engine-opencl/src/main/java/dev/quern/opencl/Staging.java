package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Host memory between callers and the device. Small writes are copied into a ring of blocks and
 * sent without waiting, so that the host can run ahead of the device; large ones wait. Not
 * thread-safe.
 */
final class Staging {
  private static final int BLOCKS = 256;
  private static final int BLOCK_BYTES = 4096;

  /** A large heap array goes through host memory in pieces of this size. */
  private static final int PIECE_BYTES = 1 << 20;

  private final OpenCl cl;
  private final long queue;
  private final Counters counters;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment ring = arena.allocate((long) BLOCKS * BLOCK_BYTES, 64);
  private final long[] events = new long[BLOCKS];
  private int next;

  Staging(OpenCl cl, long queue, Counters counters) {
    this.cl = cl;
    this.queue = queue;
    this.counters = counters;
  }

  void write(long buffer, long offset, MemorySegment source) {
    if (source.byteSize() == 0) {
      return;
    }
    if (source.byteSize() <= BLOCK_BYTES) {
      writeAhead(buffer, offset, source);
    } else if (source.isNative()) {
      counters.waits++;
      cl.write(queue, buffer, offset, source);
    } else {
      counters.waits++;
      pieces(source, piece -> cl.write(queue, buffer, offset + piece.at, piece.host), true);
    }
  }

  private void writeAhead(long buffer, long offset, MemorySegment source) {
    int block = next;
    next = (next + 1) % BLOCKS;
    if (events[block] != 0) {
      if (!cl.completed(events[block])) {
        counters.waits++;
        cl.await(events[block]);
      }
      cl.releaseEvent(events[block]);
      events[block] = 0;
    }
    MemorySegment host = ring.asSlice((long) block * BLOCK_BYTES, source.byteSize());
    host.copyFrom(source);
    events[block] = cl.writeAsync(queue, buffer, offset, host);
  }

  void read(long buffer, long offset, MemorySegment target) {
    if (target.byteSize() == 0) {
      return;
    }
    if (target.isNative()) {
      cl.read(queue, buffer, offset, target);
    } else {
      pieces(target, piece -> cl.read(queue, buffer, offset + piece.at, piece.host), false);
    }
  }

  /** A part of a heap segment, in host memory that OpenCL can use. */
  private record Piece(long at, MemorySegment host) {}

  private static void pieces(MemorySegment heap, Consumer<Piece> transfer, boolean toDevice) {
    try (Arena local = Arena.ofConfined()) {
      MemorySegment host = local.allocate(Math.min(heap.byteSize(), PIECE_BYTES), 64);
      for (long at = 0; at < heap.byteSize(); at += PIECE_BYTES) {
        long bytes = Math.min(PIECE_BYTES, heap.byteSize() - at);
        Piece piece = new Piece(at, host.asSlice(0, bytes));
        if (toDevice) {
          piece.host.copyFrom(heap.asSlice(at, bytes));
        }
        transfer.accept(piece);
        if (!toDevice) {
          heap.asSlice(at, bytes).copyFrom(piece.host);
        }
      }
    }
  }

  /**
   * Gives everything back.
   *
   * @param drained whether the queue is empty; where it is not, the driver may still look at the
   *     ring, which then stays
   */
  void close(boolean drained) {
    for (long event : events) {
      if (event != 0) {
        cl.releaseEvent(event);
      }
    }
    if (drained) {
      arena.close();
    }
  }
}
