package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Buffer;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Rope;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import dev.quern.gguf.GgufType;
import dev.quern.gguf.GgufValue;
import dev.quern.testkit.Accuracy;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Families without goldens of another engine, and files that no family describes. */
class FamiliesTest {
  /** A source with other metadata and fewer weights. */
  private record Changed(
      String name, GgufMetadata metadata, List<Weight> weights, AutoCloseable origin)
      implements ModelSource {
    @Override
    public void close() {
      try {
        origin.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static Changed changed(
      ModelSource source, Map<String, GgufValue> keys, Predicate<String> weights) {
    GgufMetadata.Builder builder = GgufMetadata.builder(source.name());
    keys.forEach(builder::put);
    return new Changed(
        source.name(),
        builder.build(),
        source.weights().stream().filter(weight -> weights.test(weight.name())).toList(),
        source);
  }

  /**
   * Logits computed with NumPy in float64 from the published definitions; the same script agrees to
   * 2e-13 with the goldens of llama, phi3 and gemma2. Gemma has no file: it is Gemma 2's without
   * its second norms, its caps and its window.
   */
  @TestFactory
  Stream<DynamicTest> definitions() throws IOException, URISyntaxException {
    Path folder = Path.of(FamiliesTest.class.getResource("families").toURI());
    return Golden.in(folder).stream()
        .flatMap(golden ->
            Stream.of("reference", "cpu", "opencl")
                .flatMap(name ->
                    Stream.of(Precision.values())
                        .map(precision ->
                            DynamicTest.dynamicTest(
                                "%s on %s, %s".formatted(golden.model(), name, precision),
                                () -> check(golden, folder, name, precision)))));
  }

  private static void check(Golden golden, Path folder, String name, Precision precision)
      throws IOException {
    Path arch = Fixtures.directory().resolve("arch");
    ModelSource source =
        golden.model().equals("arch-gemma-f32.gguf")
            ? gemma(ModelSource.of(GgufFile.open(arch.resolve("arch-gemma2-f32.gguf"))))
            : ModelSource.of(GgufFile.open(arch.resolve(golden.model())));
    LoadOptions options = LoadOptions.of(precision).withContext(128);
    double limit = precision == Precision.FAST ? 3e-4 : name.equals("reference") ? 1e-11 : 1e-9;
    try (Backend backend = Engines.open(name);
        LanguageModel model = LanguageModel.load(source, backend, options)) {
      List<float[]> logits = GoldenSuite.logits(model, GoldenSuite.ints(golden.tokens()), 64);
      float[][] expected = golden.expected(folder);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Accuracy.nmse(logits.get(golden.positions().get(i)), expected[i]))
            .isLessThanOrEqualTo(limit);
      }
    }
  }

  private static ModelSource gemma(ModelSource source) {
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    source
        .metadata()
        .values()
        .forEach((key, value) -> {
          if (!key.endsWith("softcapping") && !key.endsWith("sliding_window")) {
            keys.put(key.replace("gemma2.", "gemma."), value);
          }
        });
    keys.put("general.architecture", new GgufValue.Text("gemma"));
    return changed(source, keys, name -> !name.contains("post_"));
  }

  @Test
  void aKeyThatIsNotKnownIsAnError() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Map<String, GgufValue> keys = new LinkedHashMap<>(source.metadata().values());
    keys.put("qwen2.attention.novel", new GgufValue.Bool(true));
    assertThatThrownBy(() -> Families.config(changed(source, keys, name -> true)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("every key of the model family must be known")
        .hasMessageContaining("qwen2.attention.novel");
  }

  @Test
  void aFamilyWithoutWindowsRefusesOne() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Map<String, GgufValue> keys = new LinkedHashMap<>(source.metadata().values());
    keys.put("qwen2.attention.sliding_window", keys.get("qwen2.block_count"));
    assertThatThrownBy(() -> Families.config(changed(source, keys, name -> true)))
        .hasMessageContaining("qwen2.attention.sliding_window must be 0 but is 2");
  }

  /** The configuration of a shipped file with other keys. */
  private static ModelConfig config(String architecture, Map<String, GgufValue> other)
      throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    source
        .metadata()
        .values()
        .forEach((key, value) -> keys.put(key.replace("qwen2.", architecture + "."), value));
    keys.put("general.architecture", new GgufValue.Text(architecture));
    other.forEach((key, value) -> keys.put(architecture + "." + key, value));
    List<ModelSource.Weight> weights = new ArrayList<>(source.weights());
    for (int block = 2; block < 6; block++) {
      ModelSource.Weight any = source.weights().getFirst();
      String name = "blk." + block + ".attn_norm.weight";
      weights.add(new ModelSource.Weight(name, any.shape(), any.format(), any.data()));
    }
    return Families.config(
        new Changed("made", changed(source, keys, name -> true).metadata(), weights, source));
  }

  private static List<Integer> windows(ModelConfig config) {
    return config.blocks().stream().map(ModelConfig.BlockConfig::window).toList();
  }

  private static GgufValue real(double value) {
    return new GgufValue.Real(GgufType.FLOAT32, value);
  }

  private static GgufValue whole(long value) {
    return new GgufValue.Whole(GgufType.UINT32, value);
  }

  private static RopeConfig.Scaling scaling(Map<String, GgufValue> keys) throws IOException {
    return Objects.requireNonNull(config("qwen2", keys).blocks().getFirst().rope()).scaling();
  }

  @Test
  void whatGemma2FilesLeaveOutIsPublished() throws IOException {
    ModelConfig config = config("gemma2", Map.of("block_count", whole(4)));
    assertThat(windows(config)).containsExactly(4096, 0, 4096, 0);
    assertThat(config.scales().logitCap()).isEqualTo(30);
    assertThat(config.scales().attentionCap()).isEqualTo(50);
  }

  @Test
  void windowsFollowTheKeysOfTheFile() throws IOException {
    Map<String, GgufValue> six =
        Map.of("block_count", whole(6), "attention.sliding_window", whole(8));
    assertThat(windows(config("gemma3", six))).containsExactly(8, 8, 8, 8, 8, 0);
    assertThat(windows(config("gemma3", Map.of()))).containsOnly(0);
    assertThat(windows(config("llama", six))).containsOnly(8);
    assertThat(windows(config("olmo2", six))).containsExactly(8, 8, 8, 0, 8, 8);
    assertThat(windows(config("olmo2", Map.of()))).containsOnly(0);
    Map<String, GgufValue> three = new LinkedHashMap<>(six);
    three.put("attention.sliding_window_pattern", whole(3));
    assertThat(windows(config("gpt-oss", three))).containsExactly(8, 8, 0, 8, 8, 0);
    three.put("attention.sliding_window_pattern", GgufNumbers.of(1, 0, 0, 1, 0, 1));
    assertThat(windows(config("gemma3", three))).containsExactly(8, 0, 0, 8, 0, 8);
    three.put("attention.sliding_window_pattern", GgufNumbers.of(1, 0));
    assertThatThrownBy(() -> config("gemma3", three))
        .hasMessageContaining("must have an element for each of 6 blocks but is 2");
  }

  @Test
  void blocksWithWindowsHaveTheirOwnRope() throws IOException {
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    keys.put("block_count", whole(6));
    keys.put("attention.sliding_window", whole(8));
    keys.put("rope.freq_base", real(500_000));
    keys.put("rope.scaling.type", new GgufValue.Text("linear"));
    keys.put("rope.scaling.factor", real(8));
    for (String family : List.of("gemma3", "olmo2", "gpt-oss")) {
      List<ModelConfig.BlockConfig> blocks = config(family, keys).blocks();
      RopeConfig near = Objects.requireNonNull(blocks.getFirst().rope());
      RopeConfig far = Objects.requireNonNull(blocks.get(family.equals("olmo2") ? 3 : 5).rope());
      assertThat(far.base()).isEqualTo(500_000);
      assertThat(far.scaling()).isEqualTo(new RopeConfig.Scaling.Linear(8));
      assertThat(near.base()).isEqualTo(family.equals("gemma3") ? 10_000 : 500_000);
      assertThat(near.scaling())
          .isEqualTo(new RopeConfig.Scaling.Linear(family.equals("gpt-oss") ? 8 : 1));
    }
    keys.put("rope.freq_base_swa", real(20_000));
    RopeConfig near = config("gemma3", keys).blocks().getFirst().rope();
    assertThat(Objects.requireNonNull(near).base()).isEqualTo(20_000);
  }

  @Test
  void ropeScalingFollowsTheKeysOfTheFile() throws IOException {
    assertThat(scaling(Map.of())).isEqualTo(new RopeConfig.Scaling.Linear(1));
    assertThat(scaling(Map.of("rope.scaling.factor", real(4))))
        .isEqualTo(new RopeConfig.Scaling.Linear(4));
    assertThat(scaling(Map.of("rope.scale_linear", real(2))))
        .isEqualTo(new RopeConfig.Scaling.Linear(2));
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    keys.put("rope.scaling.factor", real(4));
    keys.put("rope.scaling.type", new GgufValue.Text("none"));
    assertThat(scaling(keys)).isEqualTo(new RopeConfig.Scaling.Linear(1));
    keys.put("rope.scaling.type", new GgufValue.Text("yarn"));
    keys.put("rope.scaling.original_context_length", whole(32));
    assertThat(scaling(keys))
        .isEqualTo(
            new RopeConfig.Scaling.Yarn(4, 32, 32, 1, true, (float) (0.1 * Math.log(4) + 1)));
    keys.put("rope.scaling.yarn_attn_factor", real(1.25));
    assertThat(scaling(keys)).isEqualTo(new RopeConfig.Scaling.Yarn(4, 32, 32, 1, true, 1.25f));
    keys.put("rope.scaling.type", new GgufValue.Text("ntk"));
    assertThatThrownBy(() -> scaling(keys))
        .hasMessageContaining("must be none, linear or yarn but is ntk");
  }

  @Test
  void anotherChoiceOfExpertsIsAnError() {
    assertThatThrownBy(() -> config("qwen3moe", Map.of("expert_gating_func", whole(2))))
        .hasMessageContaining("expert_gating_func must be 1 or 3");
    assertThatThrownBy(() -> config("qwen3moe", Map.of("expert_weights_scale", real(2.5))))
        .hasMessageContaining("expert_weights_scale must be 1.0 but is 2.5");
  }

  @Test
  void aMissingTensorIsAnError() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Changed without =
        changed(source, source.metadata().values(), name -> !name.equals("blk.1.ffn_norm.weight"));
    try (Backend backend = Backends.open("reference")) {
      assertThatThrownBy(() -> LanguageModel.load(without, backend, LoadOptions.exact()))
          .hasMessageContaining("must have tensor blk.1.ffn_norm.weight but has not");
    }
  }

  @Test
  void anUnknownFamilyIsNamed() throws IOException {
    ModelSource source = shipped("arch-qwen2-f32.gguf");
    Map<String, GgufValue> keys = new LinkedHashMap<>(source.metadata().values());
    keys.put("general.architecture", new GgufValue.Text("qwen9"));
    assertThatThrownBy(() -> Families.config(changed(source, keys, name -> true)))
        .hasMessageContaining("architecture must be one of [gemma, gemma2")
        .hasMessageContaining("but is qwen9");
  }

  private static ModelSource shipped(String name) throws IOException {
    try (InputStream stream = Golden.model(name)) {
      return ModelSource.of(GgufFile.read(stream, name));
    }
  }

  /** Factors 1 to 4 up to the context before scaling, 10 to 40 beyond, magnitude everywhere. */
  @Test
  void longRopeTakesTheFactorsOfItsContext() {
    RopeConfig rope =
        new RopeConfig(10_000, 8, Rope.Pairing.HALVES, new RopeConfig.Scaling.LongRope(16, 1.5f));
    try (Backend backend = Backends.open("reference");
        Arena arena = Arena.ofShared()) {
      float[] narrow = angles(backend, arena, rope, 16);
      float[] wide = angles(backend, arena, rope, 17);
      for (int i = 0; i < 4; i++) {
        double frequency = Math.pow(10_000, -i / 4.0) / (i + 1);
        assertThat(narrow[2 * i]).isCloseTo((float) (1.5 * Math.cos(frequency)), within());
        assertThat(narrow[2 * i + 1]).isCloseTo((float) (1.5 * Math.sin(frequency)), within());
        assertThat(wide[2 * i + 1]).isCloseTo((float) (1.5 * Math.sin(frequency / 10)), within());
      }
    }
  }

  private static Offset<Float> within() {
    return Offset.offset(1e-6f);
  }

  /** The cosines and sines of position 1. */
  private static float[] angles(Backend backend, Arena arena, RopeConfig rope, int context) {
    List<ModelSource.Weight> stored = new ArrayList<>();
    for (String name : List.of("short", "long")) {
      float first = name.equals("short") ? 1 : 10;
      MemorySegment data =
          arena.allocateFrom(ValueLayout.JAVA_FLOAT, first, 2 * first, 3 * first, 4 * first);
      stored.add(
          new ModelSource.Weight(
              "rope_factors_" + name + ".weight", Shape.of(4), WeightFormats.F32, data));
    }
    ModelSource source =
        new Changed("made", GgufMetadata.builder("made").build(), stored, () -> {});
    Weights weights = new Weights(source, backend, LoadOptions.Progress.NONE, arena);
    Tensor table = new Rotations(weights, context, arena).table(rope);
    float[] values = new float[8];
    ((Buffer) table.storage()).read(32, MemorySegment.ofArray(values));
    weights.requireAllUsed();
    return values;
  }
}
