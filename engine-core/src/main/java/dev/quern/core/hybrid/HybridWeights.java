package dev.quern.core.hybrid;

import dev.quern.core.Buffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Weights, adopted by each side when an operation there first reads them. */
final class HybridWeights implements Homed {
  private final HybridBackend backend;
  private final Optional<Side> home;
  private final Stored stored;
  private final Map<Side, Tensor> copies = new EnumMap<>(Side.class);
  private boolean closed;

  /** What is to be adopted. */
  record Stored(String name, WeightFormat format, Shape shape, MemorySegment data) {}

  HybridWeights(HybridBackend backend, Stored stored, Optional<Side> home) {
    this.backend = backend;
    this.stored = stored;
    this.home = home;
  }

  @Override
  public Optional<Side> home() {
    return home;
  }

  /** The weights on one side. The caller holds the lock of the backend. */
  Tensor on(Side side) {
    requireOpen();
    return copies.computeIfAbsent(
        side, s -> backend.on(s).adopt(stored.name, stored.format, stored.shape, stored.data));
  }

  private void requireOpen() {
    if (closed || backend.isClosed()) {
      throw new IllegalStateException(
          "buffer %s: must be open to be used but is closed".formatted(stored.name));
    }
  }

  @Override
  public String name() {
    return stored.name;
  }

  @Override
  public long bytes() {
    return stored.data.byteSize();
  }

  @Override
  public int parts() {
    return copies.values().stream()
        .map(Tensor::storage)
        .filter(Buffer.class::isInstance)
        .mapToInt(copy -> ((Buffer) copy).parts())
        .max()
        .orElse(1);
  }

  @Override
  public void write(long offset, MemorySegment source) {
    throw new IllegalStateException(
        "buffer %s: adopted weights cannot be written".formatted(stored.name));
  }

  @Override
  public void read(long offset, MemorySegment target) {
    Objects.checkFromIndexSize(offset, target.byteSize(), bytes());
    synchronized (backend) {
      requireOpen();
      target.copyFrom(stored.data.asSlice(offset, target.byteSize()));
    }
  }

  @Override
  public void close() {
    synchronized (backend) {
      if (!closed) {
        closed = true;
        if (!backend.isClosed()) {
          copies.values().stream()
              .map(Tensor::storage)
              .filter(Buffer.class::isInstance)
              .forEach(copy -> ((Buffer) copy).close());
        }
        backend.gone(this);
      }
    }
  }
}
