package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * How long does a product with weights of a format take: matmul (F32, F16, BF16), Q4_K
 * dequant-matmul and its relatives, ternary-matmul (TQ2_0, TQ1_0)? For few rows the limit is
 * reading the weight as stored, from a cache or from memory; for many rows the multiply-adds.
 */
public class ProjectionBench extends BackendBench {
  /** How the weight is stored. */
  @Param({"F32", "Q4_K", "TQ2_0"})
  public String format = "F32";

  /** Rows of activations. */
  @Param({"1", "8", "128", "512"})
  public int rows = 1;

  /** Outputs. */
  @Param("2048")
  public int n = 2048;

  /** Length of a row. */
  @Param("2048")
  public int k = 2048;

  /** Made by JMH. */
  public ProjectionBench() {}

  @Override
  void record(Subject.Parts parts, BatchRecorder batch) {
    WeightFormat stored =
        WeightFormats.byName(format)
            .orElseThrow(() ->
                new IllegalArgumentException("format: must be a weight format but is " + format));
    Tensor x = batch.input("x", Shape.of(rows, k));
    batch.output("y", batch.matmul(x, parts.weight("w", stored, n, k)));
  }

  /** Submits it and waits. */
  @Benchmark
  public void run(Metrics metrics) {
    metrics.of(subject());
    subject().run();
  }
}
