package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Buffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Rope;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
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
        .map(golden -> DynamicTest.dynamicTest(golden.model(), () -> check(golden, folder)));
  }

  private static void check(Golden golden, Path folder) throws IOException {
    Path arch = Fixtures.directory().resolve("arch");
    ModelSource source =
        golden.model().equals("arch-gemma-f32.gguf")
            ? gemma(ModelSource.of(GgufFile.open(arch.resolve("arch-gemma2-f32.gguf"))))
            : ModelSource.of(GgufFile.open(arch.resolve(golden.model())));
    LoadOptions options = LoadOptions.exact().withContext(128);
    try (Backend backend = Backends.open("reference");
        LanguageModel model = LanguageModel.load(source, backend, options)) {
      List<float[]> logits = GoldenSuite.logits(model, GoldenSuite.ints(golden.tokens()), 64);
      float[][] expected = golden.expected(folder);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Accuracy.nmse(logits.get(golden.positions().get(i)), expected[i]))
            .isLessThanOrEqualTo(1e-11);
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
        Arena arena = Arena.ofConfined()) {
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
