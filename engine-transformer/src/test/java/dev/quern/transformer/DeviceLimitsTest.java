package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.OpenOptions;
import dev.quern.core.Statistics;
import dev.quern.core.hybrid.HybridBackend;
import dev.quern.core.hybrid.Placement;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Accuracy;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models on devices that are too small for them, or for one of their matrices. */
class DeviceLimitsTest {
  private static final String MODEL = "fable-7m-q4_k_m.gguf";
  private static final String PROMPT = "Once upon a time, a small fox named Mira";
  private static final LoadOptions OPTIONS =
      LoadOptions.exact().withContext(128).withChunk(16).withSequences(2);

  private static ModelSource source(String name) throws IOException {
    try (InputStream stream = FableModels.find(name.replace(".gguf", "")).orElseThrow().open()) {
      return ModelSource.of(GgufFile.read(stream, name));
    }
  }

  private static OpenOptions limits(String name, Object value) {
    return OpenOptions.defaults().withSettings(Map.of(name, value.toString()));
  }

  private static MemoryPlan plan() throws IOException {
    try (Backend backend = Engines.open("opencl");
        ModelSource source = source(MODEL)) {
      return LanguageModel.plan(source, backend, OPTIONS);
    }
  }

  /** Memory for the scratch and about half of the layers. */
  private static long half(MemoryPlan plan) {
    long layers =
        plan.entries().stream()
            .filter(entry -> Placement.layer(entry.name()).isPresent())
            .mapToLong(MemoryPlan.Entry::resident)
            .sum();
    return layers * 9 / 16 + plan.resident(MemoryPlan.Kind.SCRATCH);
  }

  @Test
  void aPlanSaysWhatLoadingTakes() throws IOException {
    MemoryPlan plan = plan();
    assertThat(plan.fits()).isTrue();
    assertThat(plan.entries().stream().map(MemoryPlan.Entry::name))
        .contains("kv.7.values", "blk.0.attn_q.weight", "token_embd.weight", "positions");
    try (Backend backend = Engines.open("opencl");
        LanguageModel model = LanguageModel.load(source(MODEL), backend, OPTIONS)) {
      long loaded = backend.statistics().residentBytes();
      long scratch = plan.resident(MemoryPlan.Kind.SCRATCH);
      // Results are allocated with the batches that have them.
      long results = 4096;
      assertThat(loaded).isBetween(plan.resident() - scratch - results, plan.resident() - scratch);
      assertThat(model.explain()).contains("bytes of scratch");
      assertThat(backend.statistics().residentBytes()).isBetween(loaded + 1, plan.resident());
    }
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeAnythingIsLoaded() throws IOException {
    long memory = half(plan());
    try (Backend backend = Engines.open("opencl", limits("opencl.memory", memory))) {
      assertThatThrownBy(() -> LanguageModel.load(source(MODEL), backend, OPTIONS))
          .isInstanceOf(InsufficientMemoryException.class)
          .hasMessageStartingWith("opencl memory: the model must fit ")
          .hasMessageContaining("weights 4.")
          .hasMessageMatching(".*use --backend opencl\\+cpu, with [345] of 8 layers on opencl:.*")
          .extracting(e -> ((InsufficientMemoryException) e).plan().orElseThrow())
          .satisfies(DeviceLimitsTest::saysWhatIsMissing);
      Statistics after = backend.statistics();
      assertThat(after.adoptedBytes()).isZero();
      assertThat(after.residentBytes()).isZero();
      assertThat(after.liveBuffers()).isZero();
    }
  }

  private static void saysWhatIsMissing(MemoryPlan plan) {
    assertThat(plan.fits()).isFalse();
    assertThat(plan.resident(MemoryPlan.Kind.WEIGHTS)).isBetween(4_000_000L, 5_000_000L);
    // 2 sequences of 128 positions, 8 layers, keys and values of 128 float32
    assertThat(plan.resident(MemoryPlan.Kind.CACHE)).isEqualTo(2L * 128 * 8 * 2 * 128 * 4);
    assertThat(plan.resident(MemoryPlan.Kind.SCRATCH)).isPositive();
    assertThat(plan.resident()).isGreaterThan(plan.device().memoryBytes());
    assertThat(plan.layers().all()).isEqualTo(8);
    assertThat(plan.lines()).hasSize(7).anyMatch(line -> line.matches("does not fit: blk\\.\\d.*"));
  }

  @Test
  void theLayersThatFitRunOnTheDevice() throws IOException {
    OpenOptions limits = limits("opencl.memory", half(plan()));
    try (Backend backend = Engines.open("opencl+cpu", limits)) {
      try (LanguageModel model = LanguageModel.load(source(MODEL), backend, OPTIONS)) {
        assertThat(((HybridBackend) backend).placement()).isInstanceOf(Placement.Layers.class);
        int count = ((Placement.Layers) ((HybridBackend) backend).placement()).count();
        assertThat(count).as("layers of 8 on the device").isBetween(3, 5);
        assertThat(model.explain()).contains(": 3 segments").contains("copied to opencl");
        agreesWithItsGoldens(model);
        sessionsTogetherAreEachAlone(model);
        countsAsOneBackend(backend, model);
      }
      assertThat(backend.statistics().liveBuffers()).isZero();
      assertThat(backend.statistics().liveBatches()).isZero();
    }
  }

  /** Under {@code auto} a refusal is logged and the hybrid is next: see the command's tests. */
  @Test
  void theNextCandidateIsTheHybrid() throws IOException {
    OpenOptions limits = limits("opencl.memory", half(plan()));
    List<Backends.Candidate> candidates = new ArrayList<>();
    candidates.addAll(Backends.candidates("opencl", limits));
    candidates.addAll(Backends.candidates("opencl+cpu", limits));
    candidates.addAll(Backends.candidates("cpu", limits));
    try (LanguageModel model = LanguageModel.load(source(MODEL), candidates, OPTIONS)) {
      assertThat(model.backend().name()).isEqualTo("opencl+cpu");
      agreesWithItsGoldens(model);
    }
  }

  @ParameterizedTest
  @CsvSource({"fable-7m-q4_k_m.gguf,128KiB", "fable-moe-q4_k_m.gguf,128KiB"})
  void matricesAboveTheLargestAllocationAreSplit(String name, String limit) throws IOException {
    LoadOptions small = OPTIONS.withChunk(512).withSequences(1);
    try (Backend backend = Engines.open("opencl", limits("opencl.max-alloc", limit));
        LanguageModel model = LanguageModel.load(source(name), backend, small)) {
      assertThat(model.explain()).contains("the weight lies in 4 allocations");
      agreesWithItsGoldens(model, goldens(Golden.shipped(), name, 128));
      assertThat(backend.statistics().hostSteps()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fable-7m-q4_k_m.gguf", "fable-7m-f16.gguf", "fable-moe-q8_0.gguf"})
  void allocationsOfAMebibyte(String name) throws IOException {
    Path fixtures = Fixtures.directory();
    try (Backend backend = Engines.open("opencl", limits("opencl.max-alloc", "1MiB"));
        LanguageModel model =
            LanguageModel.load(
                fixtures.resolve("fable").resolve(name), backend, LoadOptions.exact())) {
      assertThat(Files.exists(fixtures.resolve("goldens"))).isTrue();
      Path folder = fixtures.resolve("goldens");
      for (Golden golden : goldens(Golden.in(folder), name, 2048)) {
        check(model, golden, golden.expected(folder));
      }
    }
  }

  private static List<Golden> goldens(List<Golden> all, String name, int context) {
    return all.stream()
        .filter(golden -> golden.model().equals(name) && golden.adapter() == null)
        .filter(golden -> golden.tokens().size() + golden.greedy().size() <= context)
        .toList();
  }

  private static void agreesWithItsGoldens(LanguageModel model) throws IOException {
    agreesWithItsGoldens(model, goldens(Golden.shipped(), MODEL, 128));
  }

  private static void agreesWithItsGoldens(LanguageModel model, List<Golden> goldens)
      throws IOException {
    assertThat(goldens).isNotEmpty();
    for (Golden golden : goldens) {
      check(model, golden, golden.expected());
    }
  }

  private static void check(LanguageModel model, Golden golden, float[][] expected) {
    int[] tokens = GoldenSuite.ints(golden.tokens());
    List<float[]> logits = GoldenSuite.logits(model, tokens, tokens.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Accuracy.nmse(logits.get(golden.positions().get(i)), expected[i]))
          .isLessThanOrEqualTo(1e-9);
    }
    if (!golden.greedy().isEmpty()) {
      try (Session session = model.newSession()) {
        session.append(tokens);
        assertThat(
                session
                    .generate(GenerationOptions.greedy(golden.greedy().size()), text -> {})
                    .tokens())
            .isEqualTo(golden.greedy());
      }
    }
  }

  private static void sessionsTogetherAreEachAlone(LanguageModel model) {
    int[] prompt = model.tokenizer().encode(PROMPT, true, true);
    try (Session first = model.newSession();
        Session second = model.newSession()) {
      first.append(prompt);
      second.append(new int[] {prompt[0], prompt[1]});
      int[][] together = model.steps(List.of(first, second), new int[] {5, 6}, 4);
      first.replace(prompt);
      first.append(new int[] {5});
      List<Integer> alone = first.generate(GenerationOptions.greedy(4), text -> {}).tokens();
      for (int step = 0; step < 4; step++) {
        assertThat(together[step][0]).isEqualTo(alone.get(step));
      }
    }
  }

  private static void countsAsOneBackend(Backend backend, LanguageModel model) {
    try (Session session = model.newSession()) {
      session.append(model.tokenizer().encode(PROMPT, true, true));
      session.generate(GenerationOptions.greedy(2), text -> {});
      Statistics before = backend.statistics();
      int tokens = session.generate(GenerationOptions.greedy(8), text -> {}).tokens().size();
      Statistics after = backend.statistics();
      assertThat(tokens).isEqualTo(8);
      assertThat(after.submits() - before.submits()).isBetween(7L, 8L);
      long submits = after.submits() - before.submits();
      long perStep = (after.weightBytesRead() - before.weightBytesRead()) / submits;
      // all but norms: the tied embedding is read once, as the output
      assertThat(perStep).isBetween(4_100_000L, 4_600_000L);
      assertThat(after.adoptedBytes()).isEqualTo(before.adoptedBytes());
      assertThat(after.hostSteps()).isZero();
      assertThat(after.builds()).isEqualTo(before.builds());
    }
  }
}
