package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * How long does an element-wise operation take? The limit is reading its operands and writing its
 * result: in a cache for few rows, in memory for many; for swish also one exponential an element.
 */
public class ElementwiseBench extends BackendBench {
  /** Which operation. */
  @Param({"swish", "mul"})
  public String op = "swish";

  /** Rows. */
  @Param({"1", "512"})
  public int rows = 1;

  /** Length of a row. */
  @Param("8192")
  public int length = 8192;

  /** Made by JMH. */
  public ElementwiseBench() {}

  @Override
  void record(Subject.Parts parts, BatchRecorder batch) {
    Tensor a = batch.input("a", Shape.of(rows, length));
    batch.output(
        "y",
        switch (op) {
          case "swish" -> batch.swish(a);
          case "mul" -> batch.mul(a, batch.input("b", Shape.of(rows, length)));
          default -> throw new IllegalArgumentException("op: must be swish or mul but is " + op);
        });
  }

  /** Submits it and waits. */
  @Benchmark
  public void run(Metrics metrics) {
    metrics.of(subject());
    subject().run();
  }
}
