package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.Buffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The keys and values of all sequences of one model. */
final class KvPool implements AutoCloseable {
  private final int context;
  private final List<Layer> layers = new ArrayList<>();
  private final List<Buffer> buffers = new ArrayList<>();

  /**
   * The cache of one block.
   *
   * @param keys {@code [sequences, context, kvHeads, headSize]}
   * @param values likewise
   */
  record Layer(Tensor keys, Tensor values) {}

  KvPool(Backend backend, ModelConfig config, int sequences, int context, WeightFormat format) {
    this.context = context;
    Shape shape = Shape.of(sequences, context, config.kvHeads(), config.headSize());
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        layers.add(
            new Layer(
                tensor(backend, "kv." + layer + ".keys", shape, format),
                tensor(backend, "kv." + layer + ".values", shape, format)));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private Tensor tensor(Backend backend, String name, Shape shape, WeightFormat format) {
    Buffer buffer = backend.allocate(name, format.bytes(shape.elements()));
    buffers.add(buffer);
    return Tensor.of(name, buffer, shape, format);
  }

  Layer layer(int index) {
    return layers.get(index);
  }

  /** Copies the first positions of a sequence into another, through the host. */
  void copy(int from, int to, int positions) {
    if (positions == 0) {
      return;
    }
    for (Layer layer : layers) {
      for (Tensor cache : List.of(layer.keys, layer.values)) {
        long bytes = positions * cache.rowBytes() / context;
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment host = arena.allocate(bytes, 64);
          Buffer buffer = (Buffer) cache.storage();
          buffer.read(from * cache.rowBytes(), host);
          buffer.write(to * cache.rowBytes(), host);
        }
      }
    }
  }

  /** Positions that a sequence can hold. */
  int context() {
    return context;
  }

  @Override
  public void close() {
    buffers.forEach(Buffer::close);
  }
}
