package dev.quern.bench;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** A batch of one operation on random data, compiled once and submitted again and again. */
final class OneOperation implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Random random = new Random(1);
  private final Backend backend;
  private final CompiledBatch batch;
  private final Bindings bindings;

  /** Records the operation. */
  @FunctionalInterface
  interface Recording {
    /** Returns the result; {@code self} makes inputs and weights. */
    Tensor record(OneOperation self, BatchRecorder recorder);
  }

  OneOperation(String backendName, Precision precision, Recording recording) {
    backend = Backends.open(backendName);
    BatchRecorder recorder = CommandBatch.record("bench");
    recorder.output("y", recording.record(this, recorder));
    CommandBatch recorded = recorder.end();
    batch = backend.compile(recorded, CompileOptions.of(precision));
    bindings = recorded.bindings();
    for (Tensor input : recorded.inputs().values()) {
      Buffer buffer = backend.allocate(input.name(), input.bytes());
      buffer.write(0, numbers(input.shape().elements()));
      bindings.set(input, buffer);
    }
    for (Tensor output : recorded.outputs().values()) {
      bindings.set(output, backend.allocate(output.name(), output.bytes()));
    }
  }

  /** Submits the batch and waits. */
  void run() {
    batch.submit(bindings).await();
  }

  /** A weight {@code [n, k]} of float32 numbers. */
  Tensor dense(WeightFormat format, int n, int k) {
    return backend.adopt("w", format, Shape.of(n, k), numbers((long) n * k));
  }

  /**
   * A weight {@code [n, k]} of random blocks.
   *
   * @param mask and-ed to every random byte
   * @param scales byte offsets in a block at which an f16 scale of 1/64 lies
   */
  Tensor blocks(WeightFormat format, int n, int k, int mask, int... scales) {
    Shape shape = Shape.of(n, k);
    byte[] bytes = new byte[Math.toIntExact(format.bytes(shape.elements()))];
    random.nextBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] &= (byte) mask;
    }
    MemorySegment data = arena.allocate(bytes.length, 64);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    for (long block = 0; block < bytes.length; block += format.blockBytes()) {
      for (int scale : scales) {
        data.set(WeightFormat.F16_BITS, block + scale, Float.floatToFloat16(1f / 64));
      }
    }
    return backend.adopt("w", format, shape, data);
  }

  private MemorySegment numbers(long count) {
    MemorySegment data = arena.allocate(4 * count, 64);
    for (long i = 0; i < count; i++) {
      data.set(WeightFormat.F32_BITS, 4 * i, (float) random.nextGaussian());
    }
    return data;
  }

  @Override
  public void close() {
    batch.close();
    backend.close();
    arena.close();
  }
}
