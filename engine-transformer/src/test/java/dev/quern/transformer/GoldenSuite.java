package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.Probe;
import dev.quern.core.Statistics;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Accuracy;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.function.Executable;

/**
 * Whole models against what other engines computed. A subclass names a backend and its settings.
 *
 * <p>Limits of the normalised mean squared error, over all known positions: {@code EXACT} 1e-9,
 * which is float32 sums in another order (float32 against float64 gives about 1e-12 here); 1e-4 for
 * gpt-oss, where two published engines differ by 3e-5. {@code FAST} 3e-4: int8 activations have a
 * relative step of 1/254, and the errors of a row's elements average out; with experts 1e-3, as a
 * rounded router may choose another expert.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class GoldenSuite {
  private final String backendName;
  private final Map<String, String> settings;
  private final List<Precision> precisions;
  private Backend backend;

  GoldenSuite(String backendName, Map<String, String> settings, Precision... precisions) {
    this.backendName = backendName;
    this.settings = settings;
    this.precisions = List.of(precisions);
  }

  @BeforeAll
  void open() {
    Probe probe =
        Backends.list().stream()
            .filter(found -> found.provider().name().equals(backendName))
            .map(Backends.Found::probe)
            .findFirst()
            .orElseThrow();
    boolean required = Boolean.getBoolean("quern.require." + backendName);
    assumeTrue(required || probe instanceof Probe.Usable, probe::toString);
    backend = Backends.open(backendName, OpenOptions.defaults().withSettings(settings));
  }

  @AfterAll
  void close() {
    if (backend != null) {
      Statistics after = backend.statistics();
      backend.close();
      assertThat(after.liveBatches()).as("batches left open").isZero();
    }
  }

  /** Whether prompts are also run in chunks, which compiles more batches. */
  boolean chunks() {
    return true;
  }

  @TestFactory
  Stream<DynamicNode> shipped() throws IOException {
    return each(Golden.shipped(), Optional.empty());
  }

  @TestFactory
  Stream<DynamicNode> fixtures() throws IOException {
    Path directory = Fixtures.directory();
    return each(Golden.in(directory.resolve("goldens")), Optional.of(directory));
  }

  private Stream<DynamicNode> each(List<Golden> goldens, Optional<Path> fixtures) {
    return precisions.stream()
        .map(precision ->
            DynamicContainer.dynamicContainer(
                precision.toString(),
                goldens.stream()
                    .filter(golden -> golden.adapter() == null)
                    .map(golden ->
                        test(golden.logits(), () -> check(golden, fixtures, precision)))));
  }

  private static DynamicTest test(String name, Executable executable) {
    return DynamicTest.dynamicTest(name, executable);
  }

  private void check(Golden golden, Optional<Path> fixtures, Precision precision)
      throws IOException {
    float[][] expected =
        fixtures.isPresent()
            ? golden.expected(fixtures.get().resolve("goldens"))
            : golden.expected();
    GgufFile file = file(golden.model(), fixtures);
    LoadOptions options = LoadOptions.of(precision).withContext(256);
    try (LanguageModel model = LanguageModel.load(ModelSource.of(file), backend, options)) {
      int[] tokens = ints(golden.tokens());
      List<float[]> logits = logits(model, tokens, tokens.length);
      double error = error(golden, logits, expected);
      assertThat(error).as("NMSE").isLessThanOrEqualTo(limit(model, precision));
      if (precision == Precision.EXACT) {
        if (chunks()) {
          checkChunks(model, tokens, logits);
        }
        checkGreedy(model, golden);
      }
    }
  }

  private static double limit(LanguageModel model, Precision precision) {
    boolean oss = model.config().architecture().equals("gpt-oss");
    return switch (precision) {
      case EXACT -> oss ? 1e-4 : 1e-9;
      case FAST -> model.config().experts() > 0 ? 1e-3 : 3e-4;
    };
  }

  private static double error(Golden golden, List<float[]> logits, float[][] expected) {
    float[] all = new float[expected.length * golden.vocab()];
    float[] wanted = new float[all.length];
    for (int i = 0; i < expected.length; i++) {
      float[] row = logits.get(golden.positions().get(i));
      System.arraycopy(row, 0, all, i * golden.vocab(), golden.vocab());
      System.arraycopy(expected[i], 0, wanted, i * golden.vocab(), golden.vocab());
    }
    return Accuracy.nmse(all, wanted);
  }

  /** Rows of a chunk see what single rows see. */
  private static void checkChunks(LanguageModel model, int[] tokens, List<float[]> whole) {
    int[] start = Arrays.copyOf(tokens, Math.min(24, tokens.length));
    for (int chunk : new int[] {1, 7}) {
      List<float[]> parts = logits(model, start, chunk);
      for (int i = 0; i < start.length; i++) {
        assertThat(Accuracy.nmse(parts.get(i), whole.get(i)))
            .as("position %d in chunks of %d", i, chunk)
            .isLessThanOrEqualTo(1e-10);
      }
    }
  }

  private void checkGreedy(LanguageModel model, Golden golden) {
    if (golden.greedy().isEmpty()) {
      return;
    }
    try (Session session = model.newSession()) {
      session.append(ints(golden.tokens()));
      List<Integer> tokens = new ArrayList<>();
      tokens.addAll(session.generate(GenerationOptions.greedy(2), text -> {}).tokens());
      Statistics before = backend.statistics();
      int rest = golden.greedy().size() - 2;
      tokens.addAll(session.generate(GenerationOptions.greedy(rest), text -> {}).tokens());
      Statistics after = backend.statistics();
      assertThat(tokens).isEqualTo(golden.greedy());
      assertThat(after.adoptedBytes()).as("adopted").isEqualTo(before.adoptedBytes());
      assertThat(after.builds()).as("builds").isEqualTo(before.builds());
      assertThat(after.hostSteps()).as("host steps").isEqualTo(before.hostSteps());
      assertThat(after.fallbacks()).as("fallbacks").isEqualTo(before.fallbacks());
      assertThat(after.waits() - before.waits()).as("waits").isLessThanOrEqualTo(rest);
    }
  }

  static List<float[]> logits(LanguageModel model, int[] tokens, int chunk) {
    return logits(model, List.of(), tokens, chunk);
  }

  /** The logits after each token, run in chunks. */
  static List<float[]> logits(
      LanguageModel model, List<LoraAdapter> adapters, int[] tokens, int chunk) {
    List<float[]> logits = new ArrayList<>();
    try (Session session = model.newSession(adapters)) {
      for (int from = 0; from < tokens.length; from += chunk) {
        int to = Math.min(tokens.length, from + chunk);
        session.logits(Arrays.copyOfRange(tokens, from, to), logits::add);
      }
    }
    return logits;
  }

  private static GgufFile file(String name, Optional<Path> fixtures) throws IOException {
    if (fixtures.isPresent()) {
      Path file = fixtures.get().resolve("fable").resolve(name);
      return GgufFile.open(
          Files.exists(file) ? file : fixtures.get().resolve("arch").resolve(name));
    }
    Optional<FableModels.Model> fable = FableModels.find(name.replace(".gguf", ""));
    try (InputStream stream = fable.isPresent() ? fable.get().open() : Golden.model(name)) {
      return GgufFile.read(stream, name);
    }
  }

  static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }
}
