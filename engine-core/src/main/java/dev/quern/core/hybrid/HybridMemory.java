package dev.quern.core.hybrid;

import dev.quern.core.Buffer;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A buffer with a copy on each side that uses it. What the host writes goes to every copy; what a
 * batch writes on one side makes the other copy stale until it is used.
 */
final class HybridMemory extends Homed {
  private final long bytes;
  private final Map<Side, Buffer> copies = new EnumMap<>(Side.class);
  private @Nullable Side stale;
  private boolean written;

  HybridMemory(HybridBackend backend, String name, long bytes, Optional<Side> home) {
    super(backend, name, home);
    this.bytes = bytes;
  }

  // ---- for batches, which hold the lock of the backend

  /** The copy on one side, whatever it holds. */
  Buffer on(Side side) {
    requireOpen();
    Buffer copy = copies.get(side);
    if (copy == null) {
      copy = backend.on(side).allocate(name(), bytes);
      copies.put(side, copy);
      // Both are full of zeros until one is written.
      if (written && copies.size() > 1) {
        stale = side;
      }
    }
    return copy;
  }

  /** The copy on one side, its first {@code live} bytes up to date. */
  Buffer fresh(Side side, long live) {
    Buffer copy = on(side);
    if (stale == side) {
      backend.copy(on(side.other()), copy, Math.min(live, bytes));
      stale = null;
    }
    return copy;
  }

  /** Takes note that a batch wrote on one side. */
  void wrote(Side side) {
    written = true;
    stale = copies.containsKey(side.other()) ? side.other() : null;
  }

  // ---- for the host

  @Override
  Stream<Buffer> copies() {
    return copies.values().stream();
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void write(long offset, MemorySegment source) {
    Objects.checkFromIndexSize(offset, source.byteSize(), bytes);
    synchronized (backend) {
      requireOpen();
      some();
      written = true;
      copies.forEach((side, copy) -> {
        if (side != stale) {
          copy.write(offset, source);
        }
      });
    }
  }

  @Override
  public void read(long offset, MemorySegment target) {
    Objects.checkFromIndexSize(offset, target.byteSize(), bytes);
    synchronized (backend) {
      requireOpen();
      some().read(offset, target);
    }
  }

  /** A copy that is up to date. */
  private Buffer some() {
    for (Map.Entry<Side, Buffer> copy : copies.entrySet()) {
      if (copy.getKey() != stale) {
        return copy.getValue();
      }
    }
    return on(home().orElse(backend.placement().elsewhere()));
  }
}
