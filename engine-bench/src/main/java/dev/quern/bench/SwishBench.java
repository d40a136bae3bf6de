package dev.quern.bench;

import dev.quern.core.Precision;
import dev.quern.core.Shape;
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

/** How long does swish take? */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SwishBench {
  /** Which backend. */
  @Param({"cpu"})
  public String backend = "cpu";

  /** How much rounding it may add. */
  @Param({"FAST", "EXACT"})
  public Precision precision = Precision.FAST;

  /** Rows. */
  @Param({"1", "512"})
  public int rows = 1;

  /** Length of a row. */
  @Param("8192")
  public int length = 8192;

  private @Nullable OneOperation operation;

  /** Made by JMH. */
  public SwishBench() {}

  /** Opens the backend and compiles the operation. */
  @Setup(Level.Trial)
  public void open() {
    operation =
        new OneOperation(
            backend,
            precision,
            (self, batch) -> batch.swish(batch.input("x", Shape.of(rows, length))));
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
