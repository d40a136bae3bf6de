package dev.quern.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.HostBuffer;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Rope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A step that runs for every token must not make garbage, on any thread. */
class AllocationTest {
  private static final int HIDDEN = 512;
  private static final int HEADS = 8;
  private static final int CONTEXT = 64;
  private static final int SUBMITS = 200;
  private static final long MOST = 128;

  @Test
  void decodeStepMakesNoGarbage() {
    assumeTrue(KernelSets.best().name().startsWith("vector-"), "scalar kernels may make garbage");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Arena arena = Arena.ofShared();
        Backend backend = new CpuBackend(KernelSets.best(), 2)) {
      CommandBatch recorded = step(backend, arena);
      try (CompiledBatch batch = backend.compile(recorded, CompileOptions.of(Precision.FAST))) {
        Bindings bindings = recorded.bindings();
        recorded.inputs().values().forEach(input -> bind(backend, bindings, input));
        recorded.outputs().values().forEach(output -> bind(backend, bindings, output));
        // until the code is compiled, vectors are objects: the best round counts
        long least = Long.MAX_VALUE;
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
        while (least > MOST && System.nanoTime() < end) {
          long before = threads.getTotalThreadAllocatedBytes();
          for (int i = 0; i < SUBMITS; i++) {
            batch.submit(bindings).await();
          }
          long bytes = threads.getTotalThreadAllocatedBytes() - before;
          least = Math.min(least, bytes / SUBMITS);
        }
        assertThat(least).isLessThanOrEqualTo(MOST);
      }
    }
  }

  private static void bind(Backend backend, Bindings bindings, Tensor tensor) {
    bindings.set(tensor, backend.allocate(tensor.name(), tensor.bytes()));
  }

  /** Embedding, one layer and a head, of one row. */
  private static CommandBatch step(Backend backend, Arena arena) {
    BatchRecorder b = CommandBatch.record("step");
    Tensor token = b.input("token", Shape.of(1), WeightFormats.I32, null);
    Tensor at = b.input("at", Shape.of(1), WeightFormats.I32, null);
    Tensor norm = weight(backend, arena, "norm", WeightFormats.F32, 1, HIDDEN);
    norm = Tensor.of("norm", norm.storage(), Shape.of(HIDDEN), WeightFormats.F32);
    Tensor table = weight(backend, arena, "table", WeightFormats.Q6_K, 1024, HIDDEN);
    Tensor x = b.embed(token, table);
    Tensor n = b.rmsNorm(x, norm, 1e-5f);
    Shape heads = Shape.of(1, HEADS, HIDDEN / HEADS);
    Tensor turns = weight(backend, arena, "turns", WeightFormats.F32, CONTEXT, HIDDEN / HEADS);
    turns =
        Tensor.of(
            "turns", turns.storage(), Shape.of(CONTEXT, HIDDEN / HEADS / 2, 2), WeightFormats.F32);
    Tensor q = b.matmul(n, square(backend, arena, "q", WeightFormats.Q4_K)).reshape(heads);
    Tensor k = b.matmul(n, square(backend, arena, "k", WeightFormats.Q4_0)).reshape(heads);
    Tensor v = b.matmul(n, square(backend, arena, "v", WeightFormats.Q8_0)).reshape(heads);
    q = b.rope(q, at, turns, Rope.Pairing.HALVES);
    k = b.rope(k, at, turns, Rope.Pairing.HALVES);
    Tensor keys = cache(backend, "keys");
    Tensor values = cache(backend, "values");
    b.kvAppend(k, at, at, keys);
    b.kvAppend(v, at, at, values);
    Tensor seen = b.attention(q, keys, values, at, at, Attention.Rule.causal(0.125f));
    Tensor o = square(backend, arena, "o", WeightFormats.TQ2_0);
    x = b.add(x, b.matmul(seen.reshape(Shape.of(1, HIDDEN)), o));
    n = b.rmsNorm(x, norm, 1e-5f);
    Tensor gate = b.matmul(n, square(backend, arena, "gate", WeightFormats.Q5_K));
    Tensor up = b.matmul(n, square(backend, arena, "up", WeightFormats.F16));
    x = b.add(x, b.mul(b.swish(gate), up));
    b.output("next", b.argMax(b.matmul(b.rmsNorm(x, norm, 1e-5f), table)));
    return b.end();
  }

  private static Tensor square(Backend backend, Arena arena, String name, WeightFormat format) {
    return weight(backend, arena, name, format, HIDDEN, HIDDEN);
  }

  private static Tensor weight(
      Backend backend, Arena arena, String name, WeightFormat format, int n, int k) {
    Shape shape = Shape.of(n, k);
    MemorySegment zeros = arena.allocate(format.bytes(shape.elements()), HostBuffer.ALIGNMENT);
    return backend.adopt(name, format, shape, zeros);
  }

  private static Tensor cache(Backend backend, String name) {
    Shape shape = Shape.of(1, CONTEXT, HEADS, HIDDEN / HEADS);
    long bytes = WeightFormats.F16.bytes(shape.elements());
    return Tensor.of(name, backend.allocate(name, bytes), shape, WeightFormats.F16);
  }
}
