package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A buffer in host memory, for backends that run on the host. Weights are used in place. */
public final class HostBuffer implements Buffer {
  /** Allocations start at multiples of this: a cache line, and the widest vector. */
  public static final long ALIGNMENT = 64;

  private final Ledger ledger;
  private final String name;
  private final MemorySegment segment;
  private final @Nullable Arena arena;
  private volatile boolean closed;

  private HostBuffer(Ledger ledger, String name, MemorySegment segment, @Nullable Arena arena) {
    this.ledger = ledger;
    this.name = name;
    this.segment = segment;
    this.arena = arena;
  }

  /**
   * The bytes of a buffer made by a backend on the host.
   *
   * @throws IllegalArgumentException if {@code buffer} belongs to another kind of backend
   * @throws IllegalStateException if it is closed
   */
  public static MemorySegment segment(Buffer buffer) {
    if (!(buffer instanceof HostBuffer host)) {
      throw new IllegalArgumentException(
          "buffer %s: must belong to a backend on the host but is a %s"
              .formatted(buffer.name(), buffer.getClass().getName()));
    }
    return host.open();
  }

  /** Whether this holds adopted weights. */
  public boolean readOnly() {
    return arena == null;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    return segment.byteSize();
  }

  @Override
  public void write(long offset, MemorySegment source) {
    if (readOnly()) {
      throw new IllegalStateException(
          "buffer %s: adopted weights cannot be written".formatted(name));
    }
    open().asSlice(offset, source.byteSize()).copyFrom(source);
  }

  @Override
  public void read(long offset, MemorySegment target) {
    target.copyFrom(open().asSlice(offset, target.byteSize()));
  }

  @Override
  public void close() {
    ledger.remove(this);
  }

  private MemorySegment open() {
    if (closed) {
      throw new IllegalStateException(
          "buffer %s: must be open to be used but is closed".formatted(name));
    }
    return segment;
  }

  private void free() {
    closed = true;
    if (arena != null) {
      arena.close();
    }
  }

  /** The buffers of one backend: counts them, and closes what is left when the backend closes. */
  public static final class Ledger implements AutoCloseable {
    private final Set<HostBuffer> live = new HashSet<>();
    private long adoptedBytes;
    private long residentBytes;
    private boolean closed;

    /** An empty ledger. */
    public Ledger() {}

    /**
     * Uses weights in place.
     *
     * @throws IllegalArgumentException if the size of {@code data} does not match, or one thread
     *     alone can read it
     */
    public synchronized HostBuffer adopt(
        String name, WeightFormat format, Shape shape, MemorySegment data) {
      if (data.byteSize() != format.bytes(shape.elements())) {
        throw new IllegalArgumentException(
            "adopt: bytes of %s%s:%s must be %d but are %d"
                .formatted(
                    name, shape, format.name(), format.bytes(shape.elements()), data.byteSize()));
      }
      if (!data.isAccessibleBy(Thread.ofVirtual().unstarted(() -> {}))) {
        throw new IllegalArgumentException(
            "adopt: every thread must be able to read the memory of %s but one alone can; use"
                    .formatted(name)
                + " Arena.ofShared()");
      }
      requireOpen();
      HostBuffer buffer = new HostBuffer(this, name, data.asReadOnly(), null);
      live.add(buffer);
      adoptedBytes += data.byteSize();
      return buffer;
    }

    /**
     * Allocates zero-filled memory.
     *
     * @throws BackendException if the host has no room
     */
    public synchronized HostBuffer allocate(String name, long bytes) {
      requireOpen();
      Arena arena = Arena.ofShared();
      try {
        HostBuffer buffer = new HostBuffer(this, name, arena.allocate(bytes, ALIGNMENT), arena);
        live.add(buffer);
        residentBytes += bytes;
        return buffer;
      } catch (OutOfMemoryError e) {
        arena.close();
        throw new BackendException(
            "allocate: host must have room for the %d bytes of %s but has not"
                .formatted(bytes, name),
            e);
      }
    }

    private synchronized void remove(HostBuffer buffer) {
      if (live.remove(buffer)) {
        residentBytes -= buffer.readOnly() ? 0 : buffer.bytes();
        buffer.free();
      }
    }

    /** Bytes adopted so far. */
    public synchronized long adoptedBytes() {
      return adoptedBytes;
    }

    /** Bytes allocated and not closed. */
    public synchronized long residentBytes() {
      return residentBytes;
    }

    /** Buffers not closed. */
    public synchronized long liveBuffers() {
      return live.size();
    }

    /**
     * The counters of a backend that uses weights in place, with those that the ledger does not
     * keep.
     */
    public synchronized Statistics statistics(
        long submits, long hostSteps, long weightBytesRead, long liveBatches) {
      return new Statistics(
          adoptedBytes,
          0,
          0,
          residentBytes,
          0,
          submits,
          0,
          0,
          hostSteps,
          0,
          weightBytesRead,
          live.size(),
          liveBatches);
    }

    /**
     * Checks that the backend has not been closed.
     *
     * @throws IllegalStateException if it has
     */
    public synchronized void requireOpen() {
      if (closed) {
        throw new IllegalStateException("backend: must be open to be used but is closed");
      }
    }

    @Override
    public synchronized void close() {
      closed = true;
      live.forEach(HostBuffer::free);
      live.clear();
      residentBytes = 0;
    }
  }
}
