package dev.quern.bench;

import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** How long does a product with ternary TQ2_0 weights take? */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TernaryMatMulBench {
  /** Which backend. */
  @Param({"cpu"})
  public String backend = "cpu";

  /** How much rounding it may add. */
  @Param({"FAST", "EXACT"})
  public Precision precision = Precision.FAST;

  /** Rows of activations. */
  @Param({"1", "64"})
  public int rows = 1;

  /** Outputs. */
  @Param("2048")
  public int n = 2048;

  /** Length of a row. */
  @Param("2048")
  public int k = 2048;

  private @Nullable OneOperation operation;

  /** Made by JMH. */
  public TernaryMatMulBench() {}

  /** Opens the backend and compiles the operation. */
  @Setup(Level.Trial)
  public void open() {
    operation =
        new OneOperation(
            backend,
            precision,
            (self, batch) ->
                // codes 0 and 1 only: 3 is never written
                batch.matmul(
                    batch.input("x", Shape.of(rows, k)),
                    self.blocks(WeightFormats.TQ2_0, n, k, 0x55, 64)));
  }

  /** Submits it and waits. */
  @Benchmark
  public void run() {
    Objects.requireNonNull(operation).run();
  }

  /** Closes the backend. */
  @TearDown(Level.Trial)
  public void close() {
    Objects.requireNonNull(operation).close();
  }
}
