package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command against results that were computed elsewhere; needs {@code -Dquern.fixtures=DIR}. */
class GoldenTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String fixtures = System.getProperty("quern.fixtures", "");

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void needsFixtures() {
    assumeTrue(!fixtures.isEmpty(), "needs -Dquern.fixtures=DIR");
  }

  @Test
  void logitsEqualTheGoldens() throws IOException {
    for (JsonNode golden : JSON.readTree(Path.of(fixtures, "goldens", "goldens.json").toFile())) {
      if (golden.get("model").asText().equals("fable-7m-q4_k_m.gguf")) {
        assertThat(error(golden)).isLessThan(1e-9);
      } else if (golden.has("adapter")) {
        String adapter = Path.of(fixtures, "fable", golden.get("adapter").asText()).toString();
        assertThat(error(golden, "--lora", adapter)).isLessThan(1e-9);
        assertThat(error(golden, "--lora", adapter + "=0.25", "--lora", adapter + "=.75"))
            .isLessThan(1e-9);
      }
    }
  }

  private double error(JsonNode golden, String... more) throws IOException {
    Path output = folder.resolve("logits.f32");
    List<String> tokens =
        StreamSupport.stream(golden.get("tokens").spliterator(), false)
            .map(JsonNode::asText)
            .toList();
    String[] first = {
      "logits",
      "--tokens",
      tokens.stream().collect(Collectors.joining(",")),
      "--output",
      output.toString(),
      "--backend",
      "reference",
      "-m",
      Path.of(fixtures, "fable", golden.get("model").asText()).toString()
    };
    Ran ran =
        Ran.quern(Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray(String[]::new));
    assertThat(ran.status()).as(ran.err()).isZero();
    float[] actual = floats(output);
    float[] expected = floats(Path.of(fixtures, "goldens", golden.get("logits").asText()));
    int vocabulary = golden.get("vocab").asInt();
    double difference = 0;
    double norm = 0;
    for (int row = 0; row < golden.get("positions").size(); row++) {
      int position = golden.get("positions").get(row).asInt();
      for (int i = 0; i < vocabulary; i++) {
        double wanted = expected[row * vocabulary + i];
        difference += Math.pow(actual[position * vocabulary + i] - wanted, 2);
        norm += wanted * wanted;
      }
    }
    return difference / norm;
  }

  private static float[] floats(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "qwen2", "llama-spm", "phi-3"})
  void tokensEqualTheGoldens(String vocabulary) throws IOException {
    Path model = Path.of(fixtures, "vocab", "ggml-vocab-" + vocabulary + ".gguf");
    Ran ran =
        Ran.quern(
            "tokenize",
            "-m",
            model.toString(),
            "--file",
            model + ".inp",
            "--separator",
            "\n__ggml_vocab_test__\n");
    List<String> expected =
        Files.readAllLines(Path.of(model + ".out")).stream().map(String::strip).toList();
    assertThat(ran.out().lines().toList()).isEqualTo(expected);
  }
}
