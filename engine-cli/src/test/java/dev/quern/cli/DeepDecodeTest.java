package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tokens behind short and long contexts through OpenCL in {@code fast}: with heads of both sizes,
 * shared by one to eight queries, with and without their norms, and contexts that one work-group
 * reads or several.
 */
class DeepDecodeTest {
  private static final int VOCABULARY = 1024;

  /** The first token of a context; some of one work-group; some of six. */
  private static final int[] DEPTHS = {1, 125, 700};

  @ParameterizedTest
  @CsvSource({
    "llama, 4, 4, 128",
    "llama, 8, 1, 128",
    "llama, 16, 4, 64",
    "qwen3, 4, 2, 128",
    "qwen3, 14, 2, 128",
    "qwen3, 8, 4, 64"
  })
  void logitsAreThoseOfExactArithmetic(String family, int heads, int kvHeads, int size)
      throws IOException {
    PlanCommandTest.needsOpenCl();
    BenchShape shape =
        new BenchShape("test", family, 2, 512, 1024, heads, kvHeads, size, VOCABULARY, false);
    List<float[]> exact = logits("cpu", Precision.EXACT, shape);
    List<float[]> fast = logits("opencl", Precision.FAST, shape);
    for (int i = 0; i < exact.size(); i++) {
      assertThat(nmse(exact.get(i), fast.get(i))).as("step " + i).isLessThan(1e-3);
    }
  }

  private static List<float[]> logits(String name, Precision precision, BenchShape shape)
      throws IOException {
    List<float[]> logits = new ArrayList<>();
    int[] tokens = new SplittableRandom(7).ints(800, 0, VOCABULARY).toArray();
    LoadOptions options = LoadOptions.of(precision).withContext(tokens.length);
    try (Backend backend = Backends.open(name);
        LanguageModel model =
            LanguageModel.load(new RandomModel(shape, BenchMix.of("Q4_K_M")), backend, options)) {
      for (int depth : DEPTHS) {
        try (Session session = model.newSession()) {
          session.append(Arrays.copyOf(tokens, depth));
          for (int i = depth; i < depth + 6; i++) {
            session.logits(new int[] {tokens[i]}, row -> logits.add(row.clone()));
          }
        }
      }
    }
    return logits;
  }

  private static double nmse(float[] expected, float[] actual) {
    double error = 0;
    double square = 0;
    for (int i = 0; i < expected.length; i++) {
      error += ((double) expected[i] - actual[i]) * ((double) expected[i] - actual[i]);
      square += (double) expected[i] * expected[i];
    }
    return error / square;
  }
}
