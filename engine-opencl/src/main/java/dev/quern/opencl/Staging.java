package dev.quern.opencl;

import dev.quern.core.event.FallbackEvent;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Host memory between callers and the device. Small writes are copied into a ring of blocks and
 * sent without waiting, so that the host can run ahead of the device. Large ones go through pinned
 * memory to a device that has memory of its own, and wait elsewhere: to a device that shares the
 * host's memory another copy would only cost. Not thread-safe.
 */
final class Staging {
  private static final System.Logger LOG = System.getLogger(Staging.class.getName());
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
  private @Nullable Supplier<PinnedUpload> pinning;
  private @Nullable PinnedUpload pinned;

  /**
   * Memory between a queue and its callers.
   *
   * @param pinning makes the pinned memory when it is first needed; null for none
   */
  Staging(OpenCl cl, long queue, Counters counters, @Nullable Supplier<PinnedUpload> pinning) {
    this.cl = cl;
    this.queue = queue;
    this.counters = counters;
    this.pinning = pinning;
  }

  void write(long buffer, long offset, MemorySegment source) {
    if (source.byteSize() == 0) {
      return;
    }
    if (source.byteSize() <= BLOCK_BYTES) {
      writeAhead(buffer, offset, source);
      return;
    }
    PinnedUpload upload = pinned();
    if (upload != null) {
      counters.waits += upload.write(buffer, offset, source);
    } else if (source.isNative()) {
      counters.waits++;
      cl.write(queue, buffer, offset, source);
    } else {
      counters.waits++;
      pieces(source, piece -> cl.write(queue, buffer, offset + piece.at, piece.host), true);
    }
  }

  private @Nullable PinnedUpload pinned() {
    if (pinning != null) {
      try {
        pinned = pinning.get();
      } catch (OpenClException e) {
        String reason = "there is no pinned memory: " + e.getMessage();
        LOG.log(Level.WARNING, "uploads wait for the device, as {0}", reason);
        FallbackEvent.record("pinned uploads", "plain uploads", reason);
        counters.fallbacks++;
      }
      pinning = null;
    }
    return pinned;
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
    if (pinned != null) {
      pinned.close(drained);
    }
    if (drained) {
      arena.close();
    }
  }
}
