package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import dev.quern.testkit.Accuracy;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
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
        check(golden, expected, logits(model, List.of(adapter), tokens, chunk));
      }
      try (LoraAdapter same = model.loadAdapter(file, 0.25f)) {
        adapter.setWeight(0.75f);
        check(golden, expected, logits(model, List.of(adapter, same), tokens, tokens.length));
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
      List<float[]> logits = logits(model, List.of(adapter), tokens, tokens.length);
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

  private static List<float[]> logits(
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
      everyProjection(backend, shipped(file), shipped(file));
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
      everyProjection(backend, shipped("arch-mixtral-f32.gguf"), shipped("arch-mixtral-f32.gguf"));
      try (ModelSource source = shipped("arch-mixtral-f32.gguf")) {
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
    write(file, source, 1);
    int[] tokens = {5, 400, 77, 1200, 9, 2000, 31};
    try (LanguageModel model = LanguageModel.load(source, backend, OPTIONS);
        LoraAdapter adapter = model.loadAdapter(file, 0.5f);
        Lora lora = Lora.read(file, again.metadata());
        Backend reference = Engines.open("reference");
        LanguageModel merged = LanguageModel.load(lora.merge(again, 0.5f), reference, OPTIONS)) {
      List<float[]> plain = GoldenSuite.logits(model, tokens, 7);
      List<float[]> expected = GoldenSuite.logits(merged, tokens, 7);
      List<float[]> adapted = logits(model, List.of(adapter), tokens, 7);
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
        each.stream().map(own -> logits(model, own, tokens, tokens.length)).toList();
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
        ModelSource source = shipped("arch-mixtral-f32.gguf")) {
      write(first, source, 1);
      write(second, source, 1000);
      try (Lora one = Lora.read(first, source.metadata());
          Lora two = Lora.read(second, source.metadata());
          OutputStream stream = Files.newOutputStream(out)) {
        Lora.write(
            source, List.of(new Lora.Weighted(one, 0.5f), new Lora.Weighted(two, -1)), stream);
      }
      try (LanguageModel written = LanguageModel.load(out, backend, OPTIONS);
          LanguageModel model =
              LanguageModel.load(shipped("arch-mixtral-f32.gguf"), backend, OPTIONS);
          LoraAdapter one = model.loadAdapter(first, 0.5f);
          LoraAdapter two = model.loadAdapter(second, -1)) {
        List<float[]> expected = logits(model, List.of(one, two), tokens, 3);
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
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("weight.gguf");
    write(file, source, 2);
    int[] tokens = {5, 400, 77};
    try (Backend backend = Engines.open(name);
        LanguageModel model = LanguageModel.load(source, backend, OPTIONS)) {
      List<float[]> plain = logits(model, List.of(), tokens, 3);
      Statistics before;
      try (LoraAdapter adapter = model.loadAdapter(file, 1)) {
        List<float[]> whole = logits(model, List.of(adapter), tokens, 3);
        before = backend.statistics();
        adapter.setWeight(0);
        List<float[]> none = logits(model, List.of(adapter), tokens, 3);
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

  /** PEFT's rows of queries and keys are in another order than those of llama files. */
  @Test
  void peftAdaptersOfLlamaAreReordered() throws IOException {
    ModelSource source = shipped("arch-llama3-ropescale-f32.gguf");
    String key = "base_model.model.model.layers.1.self_attn.";
    Map<String, float[]> values = new LinkedHashMap<>();
    values.put(key + "k_proj.lora_A.weight", random(2 * 64, 1));
    float[] keys = random(32 * 2, 2);
    values.put(key + "k_proj.lora_B.weight", keys);
    values.put(key + "v_proj.lora_A.weight", random(2 * 64, 3));
    float[] inOrder = random(32 * 2, 4);
    values.put(key + "v_proj.lora_B.weight", inOrder);
    Path file = folder.resolve("adapter_model.safetensors");
    Shape a = Shape.of(2, 64);
    Shape b = Shape.of(32, 2);
    safetensors(file, values, List.of(a, b, a, b));
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"lora_alpha\": 6, \"r\": 2, \"bias\": \"none\", \"rank_pattern\": {}, \"x\": [1,"
            + " null]}");
    try (source;
        Lora lora = Lora.read(file, source.metadata())) {
      Lora.Factors k = factors(lora, "blk.1.attn_k");
      assertThat(k.scale()).isEqualTo(3);
      // head 1 of two of 16: its row 3 and row 3 + 8 become rows 6 and 7
      assertThat(at(k.b(), 16 + 6)).isEqualTo(keys[2 * (16 + 3)]);
      assertThat(at(k.b(), 16 + 7)).isEqualTo(keys[2 * (16 + 11)]);
      assertThat(at(factors(lora, "blk.1.attn_v").b(), 16 + 6)).isEqualTo(inOrder[2 * 22]);
    }
    Files.writeString(
        folder.resolve("adapter_config.json"), "{\"lora_alpha\": 6, \"use_dora\": true}");
    assertThatThrownBy(() -> Lora.read(file, source.metadata()))
        .hasMessageContaining("use_dora must be false but is true");
  }

  private static Lora.Factors factors(Lora lora, String projection) {
    return Objects.requireNonNull(lora.factors().get(projection));
  }

  private static float at(ModelSource.Weight b, long row) {
    return b.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, row * b.shape().last() * 4);
  }

  @Test
  void anAdapterOfAnotherModelIsRefused() throws IOException {
    ModelSource qwen = shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("other.gguf");
    write(file, qwen, 3);
    try (Backend backend = Engines.open("reference");
        qwen;
        LanguageModel llama =
            LanguageModel.load(shipped("arch-llama3-ropescale-f32.gguf"), backend, OPTIONS)) {
      long buffers = backend.statistics().liveBuffers();
      assertThatThrownBy(() -> llama.loadAdapter(file, 1))
          .hasMessageContaining("general.architecture must be llama but is qwen2");
      assertThat(backend.statistics().liveBuffers()).isEqualTo(buffers);
    }
  }

  @Test
  void anAdapterOfAnotherLoadedModelOrAClosedOneIsRefused() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("same.gguf");
    write(file, source, 3);
    try (Backend backend = Engines.open("reference");
        LanguageModel one = LanguageModel.load(source, backend, OPTIONS);
        LanguageModel other =
            LanguageModel.load(shipped("arch-qwen2-f32.gguf"), backend, OPTIONS)) {
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

  /** Factors of blk.0.attn_q, which is [64, 64] of 4 heads, that no such weight has. */
  @ParameterizedTest
  @CsvSource({
    "2 64, 64 3, must be",
    "64, 64 2, must be",
    "2 64, 64, must be",
    "2 64, 63 2, must be",
    "2 64, 4 2, must be",
    "2 64, 2 2, must be",
    "1 2 64, 1 64 2, must be",
  })
  void factorsOfWrongShapesAreNamed(String a, String b, String message) throws IOException {
    ModelSource source = shipped("arch-llama3-ropescale-f32.gguf");
    long[] first = Arrays.stream(a.split(" ")).mapToLong(Long::parseLong).toArray();
    long[] second = Arrays.stream(b.split(" ")).mapToLong(Long::parseLong).toArray();
    Path gguf = folder.resolve("wrong.gguf");
    try (Arena arena = Arena.ofConfined()) {
      String name = "blk.0.attn_q.weight";
      GgufWriter.write(
          gguf,
          adapterMetadata("llama", 4f),
          List.of(
              tensor(arena, name + ".lora_a", Shape.of(first), 1),
              tensor(arena, name + ".lora_b", Shape.of(second), 2)));
    }
    Path peft = folder.resolve("adapter_model.safetensors");
    Map<String, float[]> values = new LinkedHashMap<>();
    String key = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
    values.put(key + "A.weight", random((int) Shape.of(first).elements(), 1));
    values.put(key + "B.weight", random((int) Shape.of(second).elements(), 2));
    safetensors(peft, values, List.of(Shape.of(first), Shape.of(second)));
    try (source) {
      for (Path file : List.of(gguf, peft)) {
        assertThatThrownBy(
                () -> {
                  try (Lora lora = Lora.read(file, source.metadata())) {
                    lora.requireFits(source);
                  }
                })
            .as(file.toString())
            .isInstanceOf(ModelException.class)
            .hasMessageContaining(message);
      }
    }
  }

  /** As llama.cpp has it: factors of a file without an alpha are added as they are. */
  @Test
  void anAlphaOfNothingIsOne() throws IOException {
    Path file = folder.resolve("plain.gguf");
    try (Arena arena = Arena.ofConfined();
        ModelSource source = shipped("arch-qwen2-f32.gguf")) {
      String name = "blk.0.attn_q.weight";
      GgufWriter.write(
          file,
          adapterMetadata("qwen2", 0f),
          List.of(
              tensor(arena, name + ".lora_a", Shape.of(2, 64), 1),
              tensor(arena, name + ".lora_b", Shape.of(64, 2), 2)));
      try (Lora lora = Lora.read(file, source.metadata())) {
        assertThat(factors(lora, "blk.0.attn_q").scale()).isEqualTo(1);
      }
    }
  }

  @Test
  void damagedSafetensorsAreNamed() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("bad.safetensors");
    String entry =
        "{\"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight\":"
            + "{\"dtype\":\"F32\",\"shape\":[2,64],\"data_offsets\":[%s]}}";
    for (String[] bad :
        new String[][] {
          {entry.formatted("0, 512"), "must be 512 in a file of 0"},
          {entry.formatted("-8, 504"), "must be whole numbers"},
          {entry.formatted("0, 512").replace("F32", "I8"), "dtype of base_model"},
          {"[1]", "JSON must have an object at character 0"},
          {"{\"a\": [}", "JSON must have a value at character 7"},
          {"{\"a\": " + "[".repeat(70), "at most 64 levels"},
        }) {
      byte[] json = bad[0].getBytes(StandardCharsets.UTF_8);
      ByteBuffer bytes = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
      Files.write(file, bytes.putLong(json.length).put(json).array());
      assertThatThrownBy(() -> Lora.read(file, source.metadata()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(bad[1]);
    }
    Files.write(file, new byte[] {1, 2, 3});
    assertThatThrownBy(() -> Lora.read(file, source.metadata()))
        .hasMessageContaining("header at byte 0 must have a length");
    source.close();
  }

  private static ModelSource shipped(String name) throws IOException {
    try (InputStream stream = Golden.model(name)) {
      return ModelSource.of(GgufFile.read(stream, name));
    }
  }

  /** A random adapter of rank 2 and alpha 4 on everything that is a matrix. */
  private static void write(Path file, ModelSource source, long seed) throws IOException {
    GgufMetadata metadata =
        adapterMetadata(source.metadata().requireString("general.architecture"), 4);
    try (Arena arena = Arena.ofConfined()) {
      List<GgufWriter.Source> tensors = new ArrayList<>();
      for (ModelSource.Weight weight : source.weights()) {
        Shape shape = weight.shape();
        if (shape.rank() >= 2 && !weight.name().startsWith("token_embd")) {
          boolean stack = shape.rank() == 3;
          long rows = shape.dim(stack ? 1 : 0);
          Shape a = stack ? Shape.of(shape.rows(), 2, shape.last()) : Shape.of(2, shape.last());
          Shape b = stack ? Shape.of(shape.rows(), rows, 2) : Shape.of(rows, 2);
          tensors.add(tensor(arena, weight.name() + ".lora_a", a, seed++));
          tensors.add(tensor(arena, weight.name() + ".lora_b", b, seed++));
        }
      }
      GgufWriter.write(file, metadata, tensors);
    }
  }

  private static GgufMetadata adapterMetadata(String architecture, float alpha) {
    return GgufMetadata.builder("lora")
        .put("general.architecture", architecture)
        .put("general.type", "adapter")
        .put("adapter.type", "lora")
        .put("adapter.lora.alpha", alpha)
        .build();
  }

  private static GgufWriter.Source tensor(Arena arena, String name, Shape shape, long seed) {
    float[] values = random((int) shape.elements(), seed);
    MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    return new GgufWriter.Source(name, shape, WeightFormats.F32, data);
  }

  private static float[] random(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-0.1, 0.1);
    }
    return values;
  }

  private static void safetensors(Path file, Map<String, float[]> values, List<Shape> shapes)
      throws IOException {
    StringBuilder json = new StringBuilder("{\"__metadata__\": {\"format\": \"pt\"}");
    int at = 0;
    int i = 0;
    for (Map.Entry<String, float[]> tensor : values.entrySet()) {
      int end = at + 4 * tensor.getValue().length;
      json.append(
          ", \"%s\": {\"dtype\": \"F32\", \"shape\": %s, \"data_offsets\": [%d, %d]}"
              .formatted(tensor.getKey(), shapes.get(i), at, end));
      at = end;
      i++;
    }
    byte[] header = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + at).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    values
        .values()
        .forEach(all -> {
          for (float value : all) {
            bytes.putFloat(value);
          }
        });
    Files.write(file, bytes.array());
  }
}
