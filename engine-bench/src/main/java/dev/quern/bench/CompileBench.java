package dev.quern.bench;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.OpenOptions;
import dev.quern.core.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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

/**
 * What does the cache of compiled programs buy? Opening a backend, with its self-test, and
 * compiling a small batch: with programs and self-test remembered from before, and without. The
 * limit is what the driver needs to load binaries. A backend that builds nothing shows no
 * difference.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1)
@Measurement(iterations = 5)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class CompileBench {
  /** Which backend. */
  @Param("opencl")
  public String backend = "opencl";

  private Path folder = Path.of("");

  /** Made by JMH. */
  public CompileBench() {}

  /** Makes the cache's folder, and fills it. */
  @Setup(Level.Trial)
  public void prepare() throws IOException {
    folder = Files.createTempDirectory("quern-bench");
    openAndCompile(OpenOptions.defaults().withCache(folder));
  }

  /** Programs come from the folder. */
  @Benchmark
  public long cached() {
    return openAndCompile(OpenOptions.defaults().withCache(folder));
  }

  /**
   * Programs are built from source. A driver's own cache is the user's to switch off: {@code
   * POCL_KERNEL_CACHE=0}, {@code CUDA_CACHE_DISABLE=1}.
   */
  @Benchmark
  public long rebuilt() {
    return openAndCompile(OpenOptions.defaults());
  }

  private long openAndCompile(OpenOptions options) {
    BatchRecorder recorder = CommandBatch.record("small");
    var x = recorder.input("x", Shape.of(1, 256));
    recorder.output("y", recorder.mul(recorder.swish(x), x));
    try (Backend opened = Backends.open(backend, options);
        CompiledBatch compiled = opened.compile(recorder.end(), CompileOptions.exact())) {
      return opened.statistics().builds() + compiled.explain().length();
    }
  }

  /** Deletes the folder. */
  @TearDown(Level.Trial)
  public void delete() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      deepestFirst.forEach(CompileBench::delete);
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
