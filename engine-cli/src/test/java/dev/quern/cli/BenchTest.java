package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchTest {
  private static final int ROWS = 64;
  private static final int COLUMNS = 1024;

  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @ValueSource(strings = {"F16", "Q4_0", "Q8_0", "Q4_K", "Q6_K", "TQ2_0"})
  void randomWeightsAreWellScaled(String name) {
    WeightFormat format = WeightFormats.byName(name).orElseThrow();
    float[] values = new float[ROWS * COLUMNS];
    try (Arena arena = Arena.ofConfined()) {
      format.decode(
          RandomWeights.matrix(arena, format, Shape.of(ROWS, COLUMNS), 1),
          0,
          values,
          0,
          values.length);
    }
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
    }
    double deviation = Math.sqrt(squares / values.length) * Math.sqrt(COLUMNS);
    assertThat(deviation).isCloseTo(1, within(0.1));
    assertThat(sum / values.length * Math.sqrt(COLUMNS)).isCloseTo(0, within(0.15));
  }

  /** Sizes of the files that llama.cpp makes, in GB. */
  @ParameterizedTest
  @CsvSource({
    "llama-1b, Q4_K_M, 0.80",
    "llama-8b, Q4_K_M, 4.92",
    "qwen3-4b, Q4_K_M, 2.50",
    "llama-1b, F16, 2.48",
    "llama-1b, Q8_0, 1.32"
  })
  void modelsHaveTheSizeOfPublishedOnes(String shape, String mix, double gigabytes) {
    long bytes =
        RandomModel.plan(BenchShape.of(shape), BenchMix.of(mix)).stream()
            .mapToLong(plan -> plan.format().bytes(plan.shape().elements()))
            .sum();
    assertThat(bytes * 1e-9).isCloseTo(gigabytes, within(0.01 * gigabytes + 0.005));
  }

  @ParameterizedTest
  @CsvSource({"llama, true, Q4_K_M", "qwen3, false, TQ2_0", "qwen3, true, Q8_0"})
  void aRandomModelRuns(String architecture, boolean tied, String mix) {
    BenchShape tiny = new BenchShape("tiny", architecture, 9, 256, 512, 4, 2, 64, 300, tied);
    try (Backend backend = Backends.open("reference");
        LanguageModel model =
            LanguageModel.load(
                new RandomModel(tiny, BenchMix.of(mix)),
                backend,
                LoadOptions.exact().withContext(16));
        Session session = model.newSession()) {
      List<float[]> logits = new ArrayList<>();
      session.logits(new int[] {1, 2, 3}, logits::add);
      assertThat(logits).hasSize(3);
      double squares = 0;
      for (float logit : logits.get(2)) {
        squares += (double) logit * logit;
      }
      assertThat(Math.sqrt(squares / 300)).isBetween(0.3, 3.0);
    }
  }

  @Test
  void theResultIsJson() throws IOException {
    Path file = folder.resolve("result.json");
    Ran ran =
        Ran.quern(
            "bench",
            "--backend",
            "reference,reference",
            "--prompt",
            "3",
            "--generate",
            "2",
            "--depth",
            "0,3",
            "--sequences",
            "1,2",
            "--repeat",
            "2",
            "--warm-up",
            "0",
            "--json",
            file.toString());
    assertThat(ran.status()).as(ran.err()).isZero();
    assertThat(ran.out()).hasLineCount(10).contains("uploaded 0.000 GB");
    JsonNode result = new ObjectMapper().readTree(file.toFile());
    assertThat(result.fieldNames())
        .toIterable()
        .containsExactly("machine", "jvm", "commit", "runs");
    assertThat(result.get("commit").asText()).isNotBlank();
    assertThat(result.get("runs")).hasSize(8);
    JsonNode run = result.get("runs").get(3);
    assertThat(run.fieldNames())
        .toIterable()
        .containsExactly(
            "model",
            "quant",
            "backend",
            "device",
            "precision",
            "upload",
            "start",
            "prompt",
            "decode",
            "readBytesPerSecond",
            "flopsPerSecond");
    assertThat(run.get("model").asText()).isEqualTo("fable-7m-q4_k_m");
    assertThat(run.get("precision").asText()).isEqualTo("fast");
    assertThat(run.get("upload").toString())
        .isEqualTo("{\"bytes\":0,\"seconds\":0.0,\"bytesPerSecond\":0.0}");
    JsonNode start = run.get("start");
    assertThat(start.get("withoutUploadSeconds").asDouble())
        .isEqualTo(
            start.get("jvmSeconds").asDouble()
                + start.get("openSeconds").asDouble()
                + start.get("loadSeconds").asDouble()
                + start.get("firstTokenSeconds").asDouble(),
            within(1e-9));
    assertThat(start.get("firstTokenSeconds").asDouble()).isPositive();
    assertThat(run.get("prompt").fieldNames())
        .toIterable()
        .containsExactly("tokens", "median", "min", "max");
    JsonNode decode = run.get("decode");
    assertThat(decode.fieldNames())
        .toIterable()
        .containsExactly("tokens", "depth", "sequences", "median", "min", "max", "weightBytes");
    assertThat(decode.get("depth").asInt()).isEqualTo(3);
    assertThat(decode.get("sequences").asInt()).isEqualTo(2);
    assertThat(decode.get("median").asDouble()).isPositive();
    assertThat(decode.get("weightBytes").asLong()).isBetween(3_000_000L, 5_000_000L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--shape gpt-9",
        "--shape llama-1b --quant Q9",
        "--quant Q4_0",
        "--repeat 0",
        "--warm-up -1",
        "--depth -1",
        "--sequences 0",
        "--prompt 0"
      })
  void wrongUsage(String options) {
    Ran ran = Ran.quern(("bench --backend reference " + options).split(" ", -1));
    assertThat(ran.status()).isEqualTo(2);
    assertThat(ran.err()).startsWith("quern: --").hasLineCount(1);
  }
}
