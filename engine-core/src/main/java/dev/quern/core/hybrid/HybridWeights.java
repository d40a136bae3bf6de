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
import java.util.stream.Stream;

/** Weights, adopted by each side when an operation there first reads them. */
final class HybridWeights extends Homed {
  private final Stored stored;
  private final Map<Side, Tensor> copies = new EnumMap<>(Side.class);

  /** What is to be adopted. */
  record Stored(String name, WeightFormat format, Shape shape, MemorySegment data) {}

  HybridWeights(HybridBackend backend, Stored stored, Optional<Side> home) {
    super(backend, stored.name, home);
    this.stored = stored;
  }

  /** The weights on one side. The caller holds the lock of the backend. */
  Tensor on(Side side) {
    requireOpen();
    return copies.computeIfAbsent(
        side, s -> backend.on(s).adopt(stored.name, stored.format, stored.shape, stored.data));
  }

  @Override
  Stream<Buffer> copies() {
    return copies.values().stream()
        .map(Tensor::storage)
        .filter(Buffer.class::isInstance)
        .map(Buffer.class::cast);
  }

  @Override
  public long bytes() {
    return stored.data.byteSize();
  }

  @Override
  public int parts() {
    return copies().mapToInt(Buffer::parts).max().orElse(1);
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
}
