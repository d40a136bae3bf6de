package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Precision;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/**
 * A batch on a backend. Opening it checks its results and prints what runs it, so that a run
 * without vectors or on another device cannot pass for a baseline.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules",
      "jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-Xmx4g"
    })
public abstract class BackendBench {
  /** Which backend. */
  @Param("cpu")
  public String backend = "cpu";

  /** How much rounding it may add. */
  @Param("FAST")
  public Precision precision = Precision.FAST;

  private @Nullable Subject subject;

  BackendBench() {}

  /** Records what is measured. */
  abstract void record(Subject.Parts parts, BatchRecorder batch);

  /** Opens the backend, compiles the batch and checks it. */
  @Setup(Level.Trial)
  public void open() {
    Subject opened = new Subject(backend, precision, this::record);
    subject = opened;
    System.out.println("# path: " + opened.path());
    System.out.printf("# error against the reference: %.3g%n", opened.error());
  }

  Subject subject() {
    return Objects.requireNonNull(subject);
  }

  /** Closes the backend. */
  @TearDown(Level.Trial)
  public void close() {
    subject().close();
  }
}
