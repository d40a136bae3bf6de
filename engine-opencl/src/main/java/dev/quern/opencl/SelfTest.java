package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.reference.ReferenceBackendProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Random;

/**
 * Checks an opened device against the reference: the named operations (product, dequantising and
 * ternary product, swish, mul) on small random data. A device that computes wrongly is refused.
 */
final class SelfTest {
  private static final String PASSED = "self-test 1";
  private static final int ROWS = 2;
  private static final int LENGTH = 256;
  private static final int OUTPUTS = 40;

  /** Float32 sums of 256 products differ by less; a wrong kernel by much more. */
  private static final double TOLERANCE = 1e-4;

  private static final CompileOptions OPTIONS =
      new CompileOptions(Precision.EXACT, Map.of("opencl.strategy", "stream"));

  private SelfTest() {}

  /**
   * Tests a device once: what passed is remembered with its programs.
   *
   * @throws BackendException if a result is wrong: "opencl self-test: …"
   */
  static void run(OpenClBackend backend) {
    ProgramCache cache = backend.opened().cache();
    if (cache.remembers(PASSED)) {
      return;
    }
    float[] actual = results(backend);
    float[] expected;
    try (Backend reference = new ReferenceBackendProvider().open(OpenOptions.defaults())) {
      expected = results(reference);
    }
    compare(expected, actual, backend.device().name());
    cache.remember(PASSED);
  }

  static void compare(float[] expected, float[] actual, String device) {
    double scale = 0;
    for (float value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      // Written so that NaN fails.
      if (!(Math.abs(expected[i] - actual[i]) <= TOLERANCE * scale)) {
        throw new BackendException(
            "opencl self-test: element %d on %s must be %s within %s but is %s; update the driver or use --backend cpu"
                .formatted(i, device, expected[i], TOLERANCE * scale, actual[i]));
      }
    }
  }

  private static float[] results(Backend backend) {
    Random random = new Random(1);
    try (Arena arena = Arena.ofShared()) {
      Tensor gate = weight(backend, WeightFormats.F32, floats(arena, OUTPUTS * LENGTH, random));
      Tensor up = weight(backend, WeightFormats.Q4_K, blocks(arena, WeightFormats.Q4_K, random));
      Tensor third =
          weight(backend, WeightFormats.TQ2_0, blocks(arena, WeightFormats.TQ2_0, random));
      BatchRecorder recorder = CommandBatch.record("self-test");
      Tensor x = recorder.input("x", Shape.of(ROWS, LENGTH));
      Tensor mixed = recorder.mul(recorder.swish(recorder.matmul(x, gate)), recorder.matmul(x, up));
      Tensor y = recorder.output("y", recorder.add(mixed, recorder.matmul(x, third)));
      MemorySegment input = floats(arena, ROWS * LENGTH, random);
      float[] result = submit(backend, recorder.end(), x, y, input);
      for (Tensor weight : new Tensor[] {gate, up, third}) {
        ((Buffer) weight.storage()).close();
      }
      return result;
    }
  }

  private static float[] submit(
      Backend backend, CommandBatch batch, Tensor x, Tensor y, MemorySegment input) {
    try (CompiledBatch compiled = backend.compile(batch, OPTIONS);
        Buffer inputs = backend.allocate("x", x.bytes());
        Buffer outputs = backend.allocate("y", y.bytes());
        Arena arena = Arena.ofConfined()) {
      inputs.write(0, input);
      Bindings bindings = batch.bindings().set(x, inputs).set(y, outputs);
      compiled.submit(bindings).await();
      MemorySegment result = arena.allocate(y.bytes(), 4);
      outputs.read(0, result);
      return result.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static Tensor weight(Backend backend, WeightFormat format, MemorySegment data) {
    return backend.adopt("w", format, Shape.of(OUTPUTS, LENGTH), data);
  }

  private static MemorySegment floats(Arena arena, int count, Random random) {
    MemorySegment values = arena.allocate(4L * count, 64);
    for (int i = 0; i < count; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian() / 8);
    }
    return values;
  }

  /** Random bytes, the exponents of f16 scales among them kept small. */
  private static MemorySegment blocks(Arena arena, WeightFormat format, Random random) {
    MemorySegment bytes = arena.allocate(format.bytes((long) OUTPUTS * LENGTH), 64);
    for (long i = 0; i < bytes.byteSize(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt() & 0x1F));
    }
    return bytes;
  }
}
