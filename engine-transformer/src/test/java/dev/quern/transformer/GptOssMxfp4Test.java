package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.Fixtures;
import dev.quern.core.Backend;
import dev.quern.core.Precision;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.testkit.Accuracy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * gpt-oss with experts in MXFP4, as its files have them: the tiny model's experts are rounded here,
 * and compared with the reference on the numbers that the rounded ones stand for, as F32.
 */
class GptOssMxfp4Test {
  private static final int[] TOKENS = {
    1, 700, 33, 1200, 5, 5, 901, 64, 1999, 2, 17, 350, 801, 12, 77, 4, 610, 1033, 8, 90, 41, 256, 3,
    512, 1024, 99, 100, 101, 600, 11, 22, 44, 88, 176, 352, 704
  };

  @ParameterizedTest
  @CsvSource({
    "reference, EXACT, 1e-12",
    "cpu, EXACT, 1e-9",
    "cpu, FAST, 1e-3",
    "opencl, EXACT, 1e-9",
    "opencl, FAST, 1e-3"
  })
  void expertsInMxfp4AreTheNumbersTheyStandFor(String name, Precision precision, double limit)
      throws IOException {
    try (Backend oracle = Engines.open("reference");
        Backend backend = Engines.open(name)) {
      List<float[]> expected = logits(oracle, LoadOptions.exact(), WeightFormats.F32);
      List<float[]> actual = logits(backend, LoadOptions.of(precision), WeightFormats.MXFP4);
      assertThat(Accuracy.nmse(joined(actual), joined(expected))).isLessThanOrEqualTo(limit);
      assertThat(backend.statistics().hostSteps()).isZero();
      List<float[]> unrounded = logits(oracle, LoadOptions.exact(), null);
      assertThat(Accuracy.nmse(joined(unrounded), joined(expected))).isGreaterThan(1e-3);
    }
  }

  private static List<float[]> logits(
      Backend backend, LoadOptions options, @Nullable WeightFormat experts) throws IOException {
    ModelSource source =
        ModelSource.of(
            GgufFile.open(Fixtures.directory().resolve("arch").resolve("arch-gptoss-f32.gguf")));
    try (Arena arena = Arena.ofShared()) {
      List<ModelSource.Weight> weights = new ArrayList<>();
      for (ModelSource.Weight weight : source.weights()) {
        weights.add(
            experts == null || !weight.name().endsWith("_exps.weight")
                ? weight
                : rounded(arena, weight, experts));
      }
      ModelSource changed = new Changed(source, weights);
      try (LanguageModel model = LanguageModel.load(changed, backend, options.withContext(64))) {
        return GoldenSuite.logits(model, TOKENS, 20);
      }
    }
  }

  private record Changed(ModelSource source, List<Weight> weights) implements ModelSource {
    @Override
    public String name() {
      return source.name();
    }

    @Override
    public dev.quern.gguf.GgufMetadata metadata() {
      return source.metadata();
    }

    @Override
    public void close() {
      source.close();
    }
  }

  /** The weight in MXFP4, or as the F32 numbers that it then stands for. */
  private static ModelSource.Weight rounded(
      Arena arena, ModelSource.Weight weight, WeightFormat as) {
    long count = weight.shape().elements();
    MemorySegment blocks = arena.allocate(WeightFormats.MXFP4.bytes(count), 64);
    MemorySegment numbers = arena.allocate(4 * count, 64);
    float[] block = new float[32];
    for (long at = 0; at < count; at += 32) {
      weight.format().decode(weight.data(), 4 * at, block, 0, 32);
      long offset = WeightFormats.MXFP4.bytes(at);
      round(block, blocks.asSlice(offset, 17));
      WeightFormats.MXFP4.decode(blocks, offset, block, 0);
      MemorySegment.copy(block, 0, numbers, ValueLayout.JAVA_FLOAT, 4 * at, 32);
    }
    return new ModelSource.Weight(
        weight.name(), weight.shape(), as, as.equals(WeightFormats.F32) ? numbers : blocks);
  }

  /** The power of two with which the largest fits, and the nearest of the sixteen codes. */
  private static void round(float[] numbers, MemorySegment block) {
    float largest = 0;
    for (float number : numbers) {
      largest = Math.max(largest, Math.abs(number));
    }
    int exponent = Math.clamp(Math.getExponent(largest) - 2 + 127L, 0, 254);
    block.set(ValueLayout.JAVA_BYTE, 0, (byte) exponent);
    float scale = Math.scalb(1f, exponent - 127);
    for (int i = 0; i < 16; i++) {
      int code = code(numbers[i] / scale) | code(numbers[i + 16] / scale) << 4;
      block.set(ValueLayout.JAVA_BYTE, 1 + i, (byte) code);
    }
  }

  private static int code(float value) {
    float[] magnitudes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    int best = 0;
    for (int i = 1; i < 8; i++) {
      float distance = Math.abs(Math.abs(value) - magnitudes[i]);
      best = distance < Math.abs(Math.abs(value) - magnitudes[best]) ? i : best;
    }
    return value < 0 ? best | 8 : best;
  }

  private static float[] joined(List<float[]> rows) {
    float[] all = new float[rows.size() * rows.getFirst().length];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(rows.get(i), 0, all, i * rows.getFirst().length, rows.getFirst().length);
    }
    return all;
  }
}
