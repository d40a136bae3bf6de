package dev.quern.bench;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.ModelSource;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
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

/**
 * How long do a decode step and a chunk of a prompt take, with all that the host does around them?
 * The limit of the first is reading every weight once, of the second the multiply-adds. Checked:
 * the first tokens are those of the reference.
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
public class ModelBench {
  private static final int CONTEXT = 512;
  private static final int DEPTH = 64;
  private static final int CHECKED = 8;

  /** Which backend. */
  @Param("cpu")
  public String backend = "cpu";

  /** How much rounding it may add. */
  @Param("FAST")
  public Precision precision = Precision.FAST;

  /** Which built-in model. */
  @Param("fable-7m-q4_k_m")
  public String model = "fable-7m-q4_k_m";

  /** Tokens of a chunk. */
  @Param("128")
  public int chunk = 128;

  private @Nullable Backend opened;
  private @Nullable LanguageModel loaded;
  private @Nullable Session session;
  private int[] prompt = {};
  private int[] next = {};

  /** Made by JMH. */
  public ModelBench() {}

  /** Loads the model and compares its first tokens with the reference. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    Backend on = Backends.open(backend);
    opened = on;
    LanguageModel ready = load(on);
    loaded = ready;
    check(ready);
    session = ready.newSession();
    prompt = new SplittableRandom(1).ints(chunk, 0, ready.vocabulary()).toArray();
    System.out.printf("# path: %s | %s%n", on.name(), on.device().name());
    ready.explain().lines().limit(3).forEach(line -> System.out.println("# path: " + line));
  }

  private LanguageModel load(Backend on) throws IOException {
    try (InputStream stream = FableModels.find(model).orElseThrow().open()) {
      ModelSource source = ModelSource.of(GgufFile.read(stream, model));
      return LanguageModel.load(source, on, LoadOptions.of(precision).withContext(CONTEXT));
    }
  }

  private void check(LanguageModel ready) throws IOException {
    try (Backend reference = Backends.open("reference");
        LanguageModel oracle = load(reference)) {
      int[] begin = oracle.tokenizer().encode("Once upon a time", true, true);
      List<Integer> expected = tokens(oracle, begin);
      List<Integer> actual = tokens(ready, begin);
      if (!actual.equals(expected)) {
        throw new IllegalStateException(
            "model: tokens must be those of the reference, %s, but are %s"
                .formatted(expected, actual));
      }
    }
  }

  private static List<Integer> tokens(LanguageModel of, int[] begin) {
    try (Session fresh = of.newSession()) {
      fresh.append(begin);
      int[][] steps = of.steps(List.of(fresh), new int[] {begin[begin.length - 1]}, CHECKED);
      return Arrays.stream(steps).map(step -> step[0]).toList();
    }
  }

  /** Starts each iteration at the same depth. */
  @Setup(Level.Iteration)
  public void rewind() {
    next = new int[] {prompt[0]};
    Objects.requireNonNull(session).replace(Arrays.copyOf(prompt, DEPTH));
  }

  /** One greedy step. */
  @Benchmark
  public int[] decodeStep() {
    Session current = Objects.requireNonNull(session);
    if (current.history().size() >= CONTEXT - 1) {
      current.replace(Arrays.copyOf(prompt, DEPTH));
    }
    next = Objects.requireNonNull(loaded).step(List.of(current), next);
    return next;
  }

  /** A prompt of one chunk and the first token after it. */
  @Benchmark
  public int[] promptChunk() {
    Session current = Objects.requireNonNull(session);
    current.replace(new int[0]);
    current.append(prompt);
    return Objects.requireNonNull(loaded).step(List.of(current), new int[] {prompt[0]});
  }

  /** Closes the model. */
  @TearDown(Level.Trial)
  public void close() {
    Objects.requireNonNull(session).close();
    Objects.requireNonNull(loaded).close();
    Objects.requireNonNull(opened).close();
  }
}
