package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.core.Statistics;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Accuracy;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** LoRA adapters: a trained one against its golden, and made ones against merged weights. */
class LoraTest {
  private static final LoadOptions OPTIONS =
      LoadOptions.exact().withContext(64).withSequences(3).withChunk(32);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "reference,gguf",
    "cpu,gguf",
    "opencl,gguf",
    "reference,safetensors",
    "cpu,safetensors",
    "opencl,safetensors",
    "hybrid,gguf"
  })
  void theTrainedAdapterAgreesWithItsGolden(String name, String ending) throws IOException {
    Path fixtures = Fixtures.directory();
    Golden golden = golden(fixtures);
    int[] tokens = GoldenSuite.ints(golden.tokens());
    float[][] expected = golden.expected(fixtures.resolve("goldens"));
    Path file = fixtures.resolve("fable").resolve("fable-7m-lora-qv-r8." + ending);
    try (Backend backend = Engines.open(name);
        LanguageModel model =
            LanguageModel.load(
                fixtures.resolve("fable").resolve(golden.model()), backend, OPTIONS);
        LoraAdapter adapter = model.loadAdapter(file, 1)) {
      for (int chunk : new int[] {tokens.length, 3, 1}) {
        check(golden, expected, GoldenSuite.logits(model, List.of(adapter), tokens, chunk));
      }
      try (LoraAdapter same = model.loadAdapter(file, 0.25f)) {
        adapter.setWeight(0.75f);
        check(
            golden,
            expected,
            GoldenSuite.logits(model, List.of(adapter, same), tokens, tokens.length));
      }
      try (LanguageModel merged = merged(fixtures, golden, file, backend)) {
        check(golden, expected, GoldenSuite.logits(merged, tokens, tokens.length));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl"})
  void theTrainedAdapterAgreesWithItsGoldenInFast(String name) throws IOException {
    Path fixtures = Fixtures.directory();
    Golden golden = golden(fixtures);
    int[] tokens = GoldenSuite.ints(golden.tokens());
    float[][] expected = golden.expected(fixtures.resolve("goldens"));
    Path fable = fixtures.resolve("fable");
    try (Backend backend = Engines.open(name);
        LanguageModel model =
            LanguageModel.load(
                fable.resolve(golden.model()), backend, LoadOptions.fast().withContext(64));
        LoraAdapter adapter = model.loadAdapter(fable.resolve("fable-7m-lora-qv-r8.gguf"), 1)) {
      List<float[]> logits = GoldenSuite.logits(model, List.of(adapter), tokens, tokens.length);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Accuracy.nmse(logits.get(golden.positions().get(i)), expected[i]))
            .isLessThanOrEqualTo(3e-4);
      }
    }
  }

  private static LanguageModel merged(Path fixtures, Golden golden, Path file, Backend backend)
      throws IOException {
    ModelSource base =
        ModelSource.of(GgufFile.open(fixtures.resolve("fable").resolve(golden.model())));
    try (Lora lora = Lora.read(file, base.metadata())) {
      assertThat(lora.projections()).contains("blk.0.attn_q", "blk.7.attn_v").hasSize(16);
      return LanguageModel.load(lora.merge(base, 1), backend, OPTIONS);
    }
  }

  private static Golden golden(Path fixtures) throws IOException {
    return Golden.in(fixtures.resolve("goldens")).stream()
        .filter(golden -> golden.adapter() != null)
        .findFirst()
        .orElseThrow();
  }

  private static void check(Golden golden, float[][] expected, List<float[]> logits) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(Accuracy.nmse(logits.get(golden.positions().get(i)), expected[i]))
          .isLessThanOrEqualTo(1e-9);
    }
  }

  /** Every projection of a model, experts and the output too. */
  @ParameterizedTest
  @CsvSource({
    "reference,arch-qwen2-f32.gguf",
    "reference,arch-mixtral-f32.gguf",
    "cpu,arch-mixtral-f32.gguf",
    "opencl,arch-qwen2-f32.gguf",
    "opencl,arch-mixtral-f32.gguf",
    "hybrid,arch-mixtral-f32.gguf"
  })
  void anAdapterOnEveryProjectionIsAMergedModel(String name, String file) throws IOException {
    try (Backend backend = Engines.open(name)) {
      everyProjection(backend, AdapterFiles.shipped(file), AdapterFiles.shipped(file));
    }
  }

  /** Fused projections. */
  @Test
  void anAdapterOnFusedProjectionsIsAMergedModel() throws IOException {
    Path file = Fixtures.directory().resolve("arch").resolve("arch-phi3-f32.gguf");
    try (Backend backend = Engines.open("reference")) {
      everyProjection(
          backend, ModelSource.of(GgufFile.open(file)), ModelSource.of(GgufFile.open(file)));
    }
  }

  /** On a device where the largest matrix lies in two allocations. */
  @Test
  void anAdapterOnASplitMatrixIsAMergedModel() throws IOException {
    OpenOptions limit = OpenOptions.defaults().withSettings(Map.of("opencl.max-alloc", "400KiB"));
    try (Backend backend = Engines.open("opencl", limit)) {
      everyProjection(
          backend,
          AdapterFiles.shipped("arch-mixtral-f32.gguf"),
          AdapterFiles.shipped("arch-mixtral-f32.gguf"));
      try (ModelSource source = AdapterFiles.shipped("arch-mixtral-f32.gguf")) {
        assertThat(LanguageModel.plan(source, backend, OPTIONS).entries())
            .filteredOn(entry -> entry.parts() > 1)
            .extracting(MemoryPlan.Entry::name)
            .contains("output.weight", "token_embd.weight");
      }
    }
  }

  private void everyProjection(Backend backend, ModelSource source, ModelSource again)
      throws IOException {
    Path file = folder.resolve("all.gguf");
    AdapterFiles.write(file, source, 1);
    int[] tokens = {5, 400, 77, 1200, 9, 2000, 31};
    try (LanguageModel model = LanguageModel.load(source, backend, OPTIONS);
        LoraAdapter adapter = model.loadAdapter(file, 0.5f);
        Lora lora = Lora.read(file, again.metadata());
        Backend reference = Engines.open("reference");
        LanguageModel merged = LanguageModel.load(lora.merge(again, 0.5f), reference, OPTIONS)) {
      List<float[]> plain = GoldenSuite.logits(model, tokens, 7);
      List<float[]> expected = GoldenSuite.logits(merged, tokens, 7);
      List<float[]> adapted = GoldenSuite.logits(model, List.of(adapter), tokens, 7);
      for (int i = 0; i < tokens.length; i++) {
        assertThat(Accuracy.nmse(adapted.get(i), expected.get(i))).isLessThanOrEqualTo(1e-9);
        assertThat(Accuracy.nmse(plain.get(i), expected.get(i))).isGreaterThan(1e-4);
      }
      checkTogether(model, adapter, tokens);
    }
  }

  /** A step of sessions with an adapter, twice the adapter, and none is that of each alone. */
  private static void checkTogether(LanguageModel model, LoraAdapter adapter, int[] tokens) {
    List<List<LoraAdapter>> each = List.of(List.of(adapter), List.of(), List.of(adapter, adapter));
    List<List<float[]>> alone =
        each.stream().map(own -> GoldenSuite.logits(model, own, tokens, tokens.length)).toList();
    assertThat(Accuracy.nmse(alone.get(0).getLast(), alone.get(2).getLast())).isGreaterThan(1e-4);
    int half = tokens.length / 2;
    for (List<Integer> order : List.of(List.of(0, 1, 2), List.of(2, 0), List.of(0, 0))) {
      List<Session> sessions = new ArrayList<>();
      for (int which : order) {
        sessions.add(model.newSession(each.get(which)));
        sessions.getLast().append(Arrays.copyOf(tokens, half));
      }
      for (int at = half; at < tokens.length; at++) {
        int[] same = new int[order.size()];
        Arrays.fill(same, tokens[at]);
        float[][] together = model.stepLogits(sessions, same);
        for (int row = 0; row < same.length; row++) {
          float[] expected = alone.get(order.get(row)).get(at);
          assertThat(Accuracy.nmse(together[row], expected)).isLessThanOrEqualTo(1e-10);
        }
      }
      sessions.forEach(Session::close);
    }
    checkGreedy(model, each.subList(0, 2), tokens);
    checkFork(model, each.getFirst(), tokens, alone.getFirst().getLast());
    checkHidden(model, each, tokens);
  }

  /** A fork has the adapters of its origin, and what they made of the cache. */
  private static void checkFork(
      LanguageModel model, List<LoraAdapter> own, int[] tokens, float[] expected) {
    int half = tokens.length / 2;
    try (Session origin = model.newSession(own)) {
      origin.logits(Arrays.copyOf(tokens, half), logits -> {});
      try (Session fork = origin.fork()) {
        List<float[]> logits = new ArrayList<>();
        fork.logits(Arrays.copyOfRange(tokens, half, tokens.length), logits::add);
        assertThat(Accuracy.nmse(logits.getLast(), expected)).isLessThanOrEqualTo(1e-10);
      }
    }
  }

  /** Sequences of different length with adapters of their own, in two steps. */
  private static void checkHidden(LanguageModel model, List<List<LoraAdapter>> each, int[] tokens) {
    List<int[]> sequences = new ArrayList<>();
    for (int length : new int[] {20, 14, 9}) {
      int[] sequence = new int[length];
      Arrays.setAll(sequence, i -> tokens[i % tokens.length]);
      sequences.add(sequence);
    }
    List<float[][]> together = model.forwardHiddenBatchOfEach(sequences, each);
    for (int i = 0; i < sequences.size(); i++) {
      float[][] alone =
          model.forwardHiddenBatch(sequences.subList(i, i + 1), each.get(i)).getFirst();
      assertThat(together.get(i)).hasDimensions(sequences.get(i).length, alone[0].length);
      for (int row = 0; row < alone.length; row++) {
        assertThat(Accuracy.nmse(together.get(i)[row], alone[row])).isLessThanOrEqualTo(1e-10);
      }
    }
    assertThat(Accuracy.nmse(together.get(0)[8], together.get(1)[8])).isGreaterThan(1e-4);
    assertThat(Accuracy.nmse(together.get(0)[8], together.get(2)[8])).isGreaterThan(1e-4);
  }

  /** Greedy steps, whose tokens stay on the device. */
  private static void checkGreedy(LanguageModel model, List<List<LoraAdapter>> each, int[] tokens) {
    List<List<Integer>> alone = new ArrayList<>();
    List<Session> sessions = new ArrayList<>();
    int[] last = new int[each.size()];
    Arrays.fill(last, tokens[tokens.length - 1]);
    for (List<LoraAdapter> own : each) {
      try (Session session = model.newSession(own)) {
        session.append(tokens);
        alone.add(session.generate(GenerationOptions.greedy(6), text -> {}).tokens());
      }
    }
    for (List<LoraAdapter> own : each) {
      sessions.add(model.newSession(own));
      sessions.getLast().append(Arrays.copyOf(tokens, tokens.length - 1));
    }
    int[][] steps = model.steps(sessions, last, 6);
    for (int row = 0; row < last.length; row++) {
      for (int step = 0; step < alone.get(row).size(); step++) {
        assertThat(steps[step][row]).isEqualTo(alone.get(row).get(step));
      }
    }
    sessions.forEach(Session::close);
  }

  /** Two adapters in one file, a stack of experts among them. */
  @Test
  void aWrittenModelIsTheMergedOne() throws IOException {
    Path first = folder.resolve("first.gguf");
    Path second = folder.resolve("second.gguf");
    Path out = folder.resolve("merged.gguf");
    int[] tokens = {5, 400, 77};
    try (Backend backend = Engines.open("reference");
        ModelSource source = AdapterFiles.shipped("arch-mixtral-f32.gguf")) {
      AdapterFiles.write(first, source, 1);
      AdapterFiles.write(second, source, 1000);
      try (Lora one = Lora.read(first, source.metadata());
          Lora two = Lora.read(second, source.metadata());
          OutputStream stream = Files.newOutputStream(out)) {
        Lora.write(
            source, List.of(new Lora.Weighted(one, 0.5f), new Lora.Weighted(two, -1)), stream);
      }
      try (LanguageModel written = LanguageModel.load(out, backend, OPTIONS);
          LanguageModel model =
              LanguageModel.load(AdapterFiles.shipped("arch-mixtral-f32.gguf"), backend, OPTIONS);
          LoraAdapter one = model.loadAdapter(first, 0.5f);
          LoraAdapter two = model.loadAdapter(second, -1)) {
        List<float[]> expected = GoldenSuite.logits(model, List.of(one, two), tokens, 3);
        List<float[]> actual = GoldenSuite.logits(written, tokens, 3);
        for (int i = 0; i < tokens.length; i++) {
          assertThat(Accuracy.nmse(actual.get(i), expected.get(i))).isLessThanOrEqualTo(1e-10);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu", "opencl"})
  void aWeightChangesWithoutCompiling(String name) throws IOException {
    ModelSource source = AdapterFiles.shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("weight.gguf");
    AdapterFiles.write(file, source, 2);
    int[] tokens = {5, 400, 77};
    try (Backend backend = Engines.open(name);
        LanguageModel model = LanguageModel.load(source, backend, OPTIONS)) {
      List<float[]> plain = GoldenSuite.logits(model, List.of(), tokens, 3);
      Statistics before;
      try (LoraAdapter adapter = model.loadAdapter(file, 1)) {
        List<float[]> whole = GoldenSuite.logits(model, List.of(adapter), tokens, 3);
        before = backend.statistics();
        adapter.setWeight(0);
        List<float[]> none = GoldenSuite.logits(model, List.of(adapter), tokens, 3);
        Statistics after = backend.statistics();
        assertThat(after.builds()).isEqualTo(before.builds());
        assertThat(after.liveBatches()).isEqualTo(before.liveBatches());
        assertThat(Accuracy.nmse(none.getLast(), plain.getLast())).isLessThanOrEqualTo(1e-12);
        assertThat(Accuracy.nmse(whole.getLast(), plain.getLast())).isGreaterThan(1e-4);
      }
      assertThat(backend.statistics().liveBatches()).isLessThan(before.liveBatches());
      assertThat(backend.statistics().liveBuffers()).isLessThan(before.liveBuffers());
    }
  }

  @Test
  void anAdapterOfAnotherModelIsRefused() throws IOException {
    ModelSource qwen = AdapterFiles.shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("other.gguf");
    AdapterFiles.write(file, qwen, 3);
    try (Backend backend = Engines.open("reference");
        qwen;
        LanguageModel llama =
            LanguageModel.load(
                AdapterFiles.shipped("arch-llama3-ropescale-f32.gguf"), backend, OPTIONS)) {
      long buffers = backend.statistics().liveBuffers();
      assertThatThrownBy(() -> llama.loadAdapter(file, 1))
          .hasMessageContaining("general.architecture must be llama but is qwen2");
      assertThat(backend.statistics().liveBuffers()).isEqualTo(buffers);
    }
  }

  @Test
  void anAdapterOfAnotherLoadedModelOrAClosedOneIsRefused() throws IOException {
    ModelSource source = AdapterFiles.shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("same.gguf");
    AdapterFiles.write(file, source, 3);
    try (Backend backend = Engines.open("reference");
        LanguageModel one = LanguageModel.load(source, backend, OPTIONS);
        LanguageModel other =
            LanguageModel.load(AdapterFiles.shipped("arch-qwen2-f32.gguf"), backend, OPTIONS)) {
      LoraAdapter adapter = one.loadAdapter(file, 1);
      assertThatThrownBy(() -> other.newSession(List.of(adapter)).close())
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("same.gguf: an adapter must be loaded beside the model");
      assertThatThrownBy(() -> other.forwardHiddenBatch(List.of(new int[] {1}), List.of(adapter)))
          .hasMessageContaining("but is of another");
      adapter.close();
      assertThatThrownBy(() -> one.newSession(List.of(adapter)).close())
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("must be open to be used but is closed");
    }
  }
}
