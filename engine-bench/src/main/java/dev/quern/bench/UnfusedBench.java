package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.testkit.RandomWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What {@link ProjectionBench} is compared with: the weights are dequantised to float32 with the
 * decoder that defines the format, on all cores, and then multiplied by the backend's float32
 * product.
 */
public class UnfusedBench extends BackendBench {
  /** How the weight is stored. */
  @Param({"Q4_K", "Q6_K", "Q4_0", "Q8_0", "TQ2_0"})
  public String format = "Q4_K";

  /** Rows of activations. */
  @Param("1")
  public int rows = 1;

  /** Outputs. */
  @Param("2048")
  public int n = 2048;

  /** Length of a row. */
  @Param("2048")
  public int k = 2048;

  private final Arena arena = Arena.ofShared();
  private MemorySegment stored = MemorySegment.NULL;
  private float[] values = {};

  /** Made by JMH. */
  public UnfusedBench() {}

  private WeightFormat format() {
    return WeightFormats.byName(format)
        .orElseThrow(
            () -> new IllegalArgumentException("format: must be a weight format but is " + format));
  }

  @Override
  void record(Subject.Parts parts, BatchRecorder batch) {
    Tensor x = batch.input("x", Shape.of(rows, k));
    batch.output("y", batch.matmul(x, batch.input("w", Shape.of(n, k))));
  }

  /** Makes the weights. */
  @Setup(Level.Trial)
  public void make() {
    values = new float[Math.multiplyExact(n, k)];
    SplittableRandom random = new SplittableRandom(1);
    stored = new RandomWeights().make(arena, format(), values.length, random);
  }

  /** Dequantises and multiplies. */
  @Benchmark
  public void run(Metrics metrics) {
    metrics.of(subject());
    // besides: stored weights read; values written, read, and written again as an input
    metrics.bytes += stored.byteSize() + 12.0 * values.length;
    WeightFormat decoder = format();
    long bytes = decoder.bytes(k);
    IntStream.range(0, n)
        .parallel()
        .forEach(row -> decoder.decode(stored, row * bytes, values, row * k, k));
    subject().write("w", MemorySegment.ofArray(values));
    subject().run();
  }

  /** Frees the weights. */
  @TearDown(Level.Trial)
  public void free() {
    arena.close();
  }
}
