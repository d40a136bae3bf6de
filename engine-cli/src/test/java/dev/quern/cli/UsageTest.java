package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Errors are one line, with status 2 for wrong usage and 1 for a failure. */
class UsageTest {
  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | command",
        "nonsense | nonsense",
        "generate | --prompt",
        "generate -p x --prompt-file y | --prompt",
        "generate -p x --nonsense | --nonsense",
        "generate -p x --backend tpu | --backend: must be one of",
        "generate -p x --backend cpu+tpu | --backend: must be one of",
        "generate -p x --backend auto+cpu | --backend: must be one of",
        "generate -p x --memory lots | --memory: must be an amount of memory",
        "plan --max-alloc 0 | --max-alloc: must be an amount of memory",
        "generate -p x --precision wild | --precision",
        "generate -p x --threads 0 | --threads: must be at least 1 but is 0",
        "generate -p x --context -3 | --context: must be at least 1 but is -3",
        "generate -p x --temperature -1 | --temperature",
        "generate -p x --top-k -1 | --top-k",
        "generate -p x --top-p 2 | --top-p",
        "generate -p x --min-p 2 | --min-p",
        "generate -p x --repeat-penalty 0 | --repeat",
        "generate -p x -n many | --max-tokens",
        "tokenize | --file",
        "logits --tokens 1 | --output",
        "logits --tokens a --output x | --tokens",
        "inspect | FILE"
      })
  void wrongUsageIsOneLineAndStatus2(String arguments, String named) {
    Ran ran = Ran.quern(arguments.isEmpty() ? new String[0] : arguments.split(" ", -1));
    assertThat(ran.err()).startsWith("quern: ").contains(named).hasLineCount(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.status()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "chat",
        "devices",
        "inspect",
        "quantize",
        "merge",
        "tokenize",
        "logits",
        "embed",
        "plan",
        "explain",
        "profile",
        "bench"
      })
  void everyCommandIsListedAndHasHelp(String name) {
    assertThat(Ran.quern("--help").out()).contains("\n  " + name + " ");
    Ran ran = Ran.quern(name, "--help");
    assertThat(ran.out()).startsWith("Usage: quern " + name + " ");
    assertThat(ran.status()).isZero();
  }

  @Test
  void aMissingFileIsAFailure() {
    Ran ran = Ran.quern("generate", "-p", "x", "-m", "/no/such.gguf", "--backend", "reference");
    assertThat(ran.err())
        .isEqualTo("quern: /no/such.gguf: must be a file that exists but does not\n");
    assertThat(ran.status()).isEqualTo(1);
  }

  @Test
  void aBrokenFileIsAFailureWithATraceWhereAskedFor() throws IOException {
    Path file = Files.writeString(folder.resolve("broken.gguf"), "not a model at all, is it?");
    Ran brief = Ran.quern("inspect", file.toString());
    assertThat(brief.err()).startsWith("quern: ").contains("broken.gguf").hasLineCount(1);
    assertThat(brief.status()).isEqualTo(1);
    Ran verbose = Ran.quern("inspect", file.toString(), "--verbose");
    assertThat(verbose.err()).contains("GgufException").contains("\tat ");
    assertThat(verbose.status()).isEqualTo(1);
  }

  @Test
  void tokensOutsideTheVocabularyAreAFailure() {
    Ran ran =
        Ran.quern(
            "logits",
            "--tokens",
            "1,99999",
            "--output",
            folder.resolve("x").toString(),
            "--backend",
            "reference");
    assertThat(ran.err()).startsWith("quern: ").contains("99999").hasLineCount(1);
    assertThat(ran.status()).isEqualTo(1);
  }

  @Test
  void versionAndHelpGoToStandardOutput() {
    assertThat(Ran.quern("--version").out()).startsWith("quern ");
    assertThat(Ran.quern("generate", "--version").out()).startsWith("quern ");
    assertThat(Ran.quern("--version").status()).isZero();
    assertThat(Ran.quern("generate", "--help").out())
        .contains("--prompt-file", "--backend", "--repeat-penalty", "--stop");
    assertThat(Ran.quern("--help").out())
        .contains("generate", "chat", "devices", "inspect", "tokenize", "logits", "explain");
  }
}
