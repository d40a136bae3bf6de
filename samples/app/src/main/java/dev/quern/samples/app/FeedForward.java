package dev.quern.samples.app;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** One layer below a model: records a gated feed-forward layer, compiles it and runs it. */
public final class FeedForward {
  private static final int ROWS = 3;
  private static final int HIDDEN = 64;
  private static final int INNER = 192;

  private FeedForward() {}

  /**
   * Prints the largest difference between the backend's result and plain Java's.
   *
   * @param args the backend's name, optional
   */
  public static void main(String[] args) {
    float[] gates = random(1, INNER * HIDDEN);
    float[] ups = random(2, INNER * HIDDEN);
    float[] downs = random(3, HIDDEN * INNER);
    float[] input = random(4, ROWS * HIDDEN);
    try (Arena arena = Arena.ofShared(); // workers of the backend read it
        Backend backend = args.length == 0 ? Backends.best() : Backends.open(args[0])) {
      Tensor gate = weight(backend, arena, "gate", Shape.of(INNER, HIDDEN), gates);
      Tensor up = weight(backend, arena, "up", Shape.of(INNER, HIDDEN), ups);
      Tensor down = weight(backend, arena, "down", Shape.of(HIDDEN, INNER), downs);

      BatchRecorder ffn = CommandBatch.record("ffn");
      Tensor x = ffn.input("x", Shape.of(ROWS, HIDDEN));
      Tensor h = ffn.mul(ffn.swish(ffn.matmul(x, gate)), ffn.matmul(x, up));
      Tensor y = ffn.output("y", ffn.matmul(h, down));

      float[] result = new float[ROWS * HIDDEN];
      try (CompiledBatch batch = backend.compile(ffn.end(), CompileOptions.exact());
          Buffer in = backend.allocate("in", x.bytes());
          Buffer out = backend.allocate("out", y.bytes())) {
        in.write(0, segment(arena, input));
        Bindings bindings = batch.batch().bindings().set(x, in).set(y, out);
        batch.submit(bindings).await();
        MemorySegment target = arena.allocate(y.bytes());
        out.read(0, target);
        MemorySegment.copy(target, ValueLayout.JAVA_FLOAT, 0, result, 0, result.length);
      }
      double difference = difference(result, plain(input, gates, ups, downs));
      System.out.println("feed-forward on " + backend.name() + ": largest error " + difference);
      if (!(difference < 1e-4)) {
        throw new AssertionError("feed-forward: must agree with plain Java but does not");
      }
    }
  }

  private static Tensor weight(
      Backend backend, Arena arena, String name, Shape shape, float[] values) {
    return backend.adopt(name, WeightFormats.F32, shape, segment(arena, values));
  }

  private static MemorySegment segment(Arena arena, float[] values) {
    return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
  }

  private static float[] random(long seed, int length) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian() / 8;
    }
    return values;
  }

  private static double[] plain(float[] x, float[] gate, float[] up, float[] down) {
    double[] y = new double[ROWS * HIDDEN];
    for (int r = 0; r < ROWS; r++) {
      for (int n = 0; n < INNER; n++) {
        double g = 0;
        double u = 0;
        for (int k = 0; k < HIDDEN; k++) {
          g += (double) x[r * HIDDEN + k] * gate[n * HIDDEN + k];
          u += (double) x[r * HIDDEN + k] * up[n * HIDDEN + k];
        }
        double h = g / (1 + Math.exp(-g)) * u;
        for (int m = 0; m < HIDDEN; m++) {
          y[r * HIDDEN + m] += h * down[m * INNER + n];
        }
      }
    }
    return y;
  }

  private static double difference(float[] some, double[] others) {
    double largest = 0;
    for (int i = 0; i < some.length; i++) {
      largest = Math.max(largest, Math.abs(some[i] - others[i]));
    }
    return largest;
  }
}
