package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on the built-in model, in this process. */
class CommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MIRA = "Once upon a time, a small fox named Mira";
  private static final String STORY =
      " lived beside a garden with a broken wall. Mira was the most brave fox of all. The sun had"
          + " just come up.";

  @TempDir private Path folder = Path.of("");

  @Test
  void generatePrintsTheTextAndNothingElse() {
    Ran ran = reference("generate", "-p", MIRA, "-n", "20", "--precision", "exact");
    assertThat(ran.out()).isNotEmpty();
    assertThat(STORY).startsWith(ran.out());
    assertThat(ran.err()).contains("reference", "prompt 10 tokens", "generated 20 tokens");
    assertThat(ran.status()).isZero();
  }

  @Test
  void generateStopsAtAText() {
    assertThat(reference("generate", "-p", MIRA, "--stop", " garden", "--stop", "wall").out())
        .isEqualTo(" lived beside a");
  }

  @Test
  void generateReadsAFileOrStandardInput() throws IOException {
    Path file = Files.writeString(folder.resolve("prompt.txt"), MIRA);
    String expected = reference("generate", "-p", MIRA, "-n", "4").out();
    assertThat(reference("generate", "--prompt-file", file.toString(), "-n", "4").out())
        .isEqualTo(expected);
    assertThat(
            Ran.withInput(
                    MIRA, "generate", "--prompt-file", "-", "-n", "4", "--backend", "reference")
                .out())
        .isEqualTo(expected);
  }

  @Test
  void theSameSeedDrawsTheSameText() {
    String[] options = {"generate", "-p", MIRA, "-n", "8", "--temperature", "1.5", "--seed", "7"};
    assertThat(reference(options).out()).isEqualTo(reference(options).out());
  }

  @Test
  void specialTokensOfThePromptAreParsed() {
    Ran ran =
        reference(
            "generate", "-n", "1", "-p", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    assertThat(ran.err()).contains("prompt 10 tokens");
  }

  @Test
  void chatAnswersOnce() {
    Ran ran =
        reference("chat", "--message", "Tell me a story about an owl named Otto.", "-n", "24");
    assertThat(ran.out()).contains("owl named Otto");
    assertThat(ran.err()).contains("prompt 18 tokens");
    assertThat(ran.status()).isZero();
  }

  @Test
  void chatGoesOnAfterAMessageThatDoesNotFit() {
    Ran ran =
        Ran.withInput(
            "owl ".repeat(60) + "\nTell me a story about an owl named Otto.\n",
            "chat",
            "--context",
            "40",
            "--backend",
            "reference");
    assertThat(ran.status()).isZero();
    assertThat(ran.err())
        .contains("quern: prompt: tokens must fit the context of 40")
        .contains("quern: the context is full: the answer ends here; see --context");
  }

  @Test
  void chatRemembersWhatWasSaid() {
    Ran ran =
        Ran.withInput(
            "Tell me a story about an owl named Otto.\n\nAnd about a fox?\n",
            "chat",
            "-n",
            "4",
            "--verbose",
            "--system",
            "You tell stories.",
            "--backend",
            "reference");
    assertThat(ran.status()).isZero();
    assertThat(ran.out()).hasLineCount(2);
    assertThat(ran.err().split("> ", -1)).hasSize(5);
  }

  @Test
  void tokenizePrintsALineForEachCase() throws IOException {
    Path file = Files.writeString(folder.resolve("text"), MIRA + "\n--\n<|im_start|>user\n--\n");
    Ran whole = Ran.quern("tokenize", "--file", write(MIRA));
    assertThat(whole.out()).isEqualTo("943 944 261 550 14 261 558 924 304 677\n");
    Ran cases = Ran.quern("tokenize", "--file", file.toString(), "--separator", "\\n--\\n");
    assertThat(cases.out()).isEqualTo("943 944 261 550 14 261 558 924 304 677\n1 473\n");
    assertThat(cases.err()).isEmpty();
  }

  @Test
  void logitsAreWrittenForEveryPosition() throws IOException {
    Path file = folder.resolve("logits.f32");
    Ran ran =
        reference(
            "logits",
            "--tokens",
            "943,944,261,550,14,261,558,924,304,677",
            "--output",
            file.toString());
    assertThat(ran.out()).isEmpty();
    assertThat(ran.status()).isZero();
    float[] logits = new float[10 * 2048];
    ByteBuffer.wrap(Files.readAllBytes(file))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(logits);
    assertThat(Files.size(file)).isEqualTo(4L * logits.length);
    int best =
        IntStream.range(0, 2048)
            .reduce((a, b) -> logits[9 * 2048 + a] >= logits[9 * 2048 + b] ? a : b)
            .orElseThrow();
    assertThat(best).as("first token of the golden continuation").isEqualTo(429);
  }

  @Test
  void autoGoesOnWithoutABackendThatFailsAndANamedBackendIsNotReplaced() {
    Ran auto = Ran.quern("generate", "-p", MIRA, "-n", "3");
    assertThat(STORY).startsWith(auto.out());
    assertThat(auto.out()).isNotEmpty();
    assertThat(auto.err())
        .startsWith("quern: broken cannot run the model, the next backend is tried: broken: must")
        .hasLineCount(2);
    Ran named = Ran.quern("generate", "-p", MIRA, "-n", "3", "--backend", "broken");
    assertThat(named.status()).isEqualTo(1);
    assertThat(named.out()).isEmpty();
    assertThat(named.err()).isEqualTo("quern: broken: must work but does not\n");
  }

  @Test
  void embedWritesAVectorForEachText() throws IOException {
    Path texts = Files.writeString(folder.resolve("texts"), MIRA + "\nThe owl\n");
    Ran ran = reference("embed", "--prompt-file", texts.toString(), "--normalize");
    assertThat(ran.status()).as(ran.err()).isZero();
    assertThat(ran.out().lines()).hasSize(2);
    double squares = 0;
    for (JsonNode value : JSON.readTree(ran.out().lines().findFirst().orElseThrow())) {
      squares += value.asDouble() * value.asDouble();
    }
    assertThat(squares).isBetween(0.9999, 1.0001);
    Path raw = folder.resolve("vectors.f32");
    Ran last =
        reference("embed", "-p", "a", "-p", "b", "--pooling", "last", "--output", raw.toString());
    assertThat(last.out()).isEmpty();
    assertThat(raw).hasSize(2 * 256 * 4);
  }

  @Test
  void anAdapterMustBeOne() throws IOException {
    Path file = Files.writeString(folder.resolve("no.gguf"), "no");
    Ran ran = reference("generate", "-p", MIRA, "-n", "1", "--lora", file + "=0.5");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).startsWith("quern: ").contains("no.gguf").hasLineCount(1);
    Ran wrong = reference("logits", "--tokens", "1", "--output", "x", "--lora", "a.gguf=much");
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.err()).contains("--lora: weight must be a number but is a.gguf=much");
  }

  @Test
  void devicesAsJson() throws IOException {
    JsonNode providers = JSON.readTree(Ran.quern("devices", "--json").out()).get("providers");
    assertThat(providers.findValuesAsText("name")).contains("reference");
    for (JsonNode provider : providers) {
      if (provider.get("usable").asBoolean()) {
        assertThat(provider.get("devices")).isNotEmpty();
        assertThat(provider.get("devices").get(0).get("memoryBytes").asLong()).isPositive();
      } else {
        assertThat(provider.get("reason").asText()).isNotBlank();
      }
    }
    assertThat(Ran.quern("devices").out()).contains("reference");
  }

  @Test
  void inspectAsJson() throws IOException {
    JsonNode file = JSON.readTree(Ran.quern("inspect", "fable-7m-q4_k_m", "--json").out());
    assertThat(file.get("metadata").get("general.architecture").asText()).isEqualTo("qwen3");
    assertThat(file.get("metadata").get("tokenizer.ggml.tokens")).hasSize(2048);
    assertThat(file.get("metadata").get("qwen3.rope.freq_base").asDouble()).isEqualTo(10000);
    assertThat(file.get("tensors")).hasSize(90);
    JsonNode embedding = file.get("tensors").get(1);
    assertThat(embedding.get("name").asText()).isEqualTo("token_embd.weight");
    assertThat(embedding.get("type").asText()).isEqualTo("Q6_K");
    assertThat(embedding.get("shape").toString()).isEqualTo("[2048,256]");
    assertThat(Ran.quern("inspect", "fable-7m-q4_k_m").out())
        .contains("general.architecture = qwen3", "token_embd.weight[2048, 256]:Q6_K");
  }

  @Test
  void explainShowsTheBatches() {
    assertThat(reference("explain").out()).contains("dequant-matmul", "token_embd.weight");
  }

  private String write(String text) throws IOException {
    return Files.writeString(folder.resolve("single"), text).toString();
  }

  private static Ran reference(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--backend";
    all[arguments.length + 1] = "reference";
    return Ran.quern(all);
  }
}
