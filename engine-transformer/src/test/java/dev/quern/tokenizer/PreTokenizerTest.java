package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Words by hand from the published patterns; whole texts are compared in VocabularyCasesTest. */
class PreTokenizerTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "gpt-2; I'll·eat·12·Äpfel!!··x; I|'ll|·eat|·12|·Äpfel|!!|·|·x",
        "mpt; 1234·a; 1234|·a",
        "llama-bpe; I'LL·(see)·12345·x; I|'LL|·(|see|)|·|123|45|·x",
        "llama3; a/b·12; a|/b|·|12",
        "falcon3; a·1234; a|·|123|4",
        "pixtral; a·1234; a|·|123|4",
        "dbrx; I'LL·1234; I|'LL|·|123|4",
        "smaug-bpe; I'LL·1234; I|'LL|·|123|4",
        "olmo; 1234·a; 1234|·a",
        "deepseek-r1-qwen; x·12; x|·|1|2",
        "llama-v3; don't; don|'t",
        "qwen2; x·12; x|·|1|2",
        "qwen35; e\u0301a·12; e\u0301a|·|1|2",
        "default; Hi,·1234·$5!; Hi|,|·|123|4|·|$|5|!",
        "falcon; a`b·1234; a|`|b|·|123|4",
        "starcoder; ab·12; ab|·|1|2",
        "refact; ab·12; ab|·|1|2",
        "command-r; ab·12; ab|·|1|2",
        "smollm; ab·cd·12; ab|·cd|·|1|2",
        "deepseek-coder; x·12⏎,.; x|·|1|2|⏎|,.",
        // the published punctuation :-~ spans the letters of ASCII, so a word may fall apart
        "deepseek-llm; Straße,·中文·12⏎·z; Stra|ß|e|,|·|中文|·|1|2|⏎|·z",
        "deepseek-llm; ßµ·äö\u02B0; ßµ|·äö|\u02B0",
        "gpt-4o; HelloWorld's·1234/⏎; Hello|World's|·|123|4|/⏎",
        "tekken; HelloWorld's·12; Hello|World|'s|·|1|2",
      })
  void textsAreCutAsPublished(String name, String text, String words) {
    assertThat(PreTokenizer.find(name).orElseThrow().words(plain(text)))
        .containsExactlyElementsOf(
            List.of(words.split("\\|")).stream().map(PreTokenizerTest::plain).toList());
  }

  /**
   * Lengths, in characters, of the words that the patterns of the published {@code tokenizer.json}
   * make of random texts in Hugging Face tokenizers 0.23.2.
   */
  @TestFactory
  Stream<DynamicTest> randomTextsAreCutAsPublished() throws IOException {
    JsonNode cases =
        new ObjectMapper().readTree(PreTokenizerTest.class.getResourceAsStream("words.json"));
    assertThat(cases.get("words")).hasSize(15);
    return cases.get("words").properties().stream()
        .map(row ->
            DynamicTest.dynamicTest(
                row.getKey(), () -> check(row.getKey(), cases.get("texts"), row.getValue())));
  }

  private static void check(String name, JsonNode texts, JsonNode expected) {
    PreTokenizer preTokenizer = PreTokenizer.find(name).orElseThrow();
    assertThat(texts).hasSize(120).hasSameSizeAs(expected);
    for (int i = 0; i < texts.size(); i++) {
      List<Integer> lengths = new ArrayList<>();
      expected.get(i).forEach(length -> lengths.add(length.asInt()));
      assertThat(preTokenizer.words(texts.get(i).asText()))
          .extracting(word -> word.codePointCount(0, word.length()))
          .as(texts.get(i).asText())
          .isEqualTo(lengths);
    }
  }

  @Test
  void marksStandAloneWhereThePatternHasLettersOnly() {
    assertThat(PreTokenizer.find("qwen2").orElseThrow().words("e\u0301a"))
        .containsExactly("e", "\u0301a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command-r",
        "dbrx",
        "deepseek-coder",
        "deepseek-llm",
        "deepseek-r1-qwen",
        "default",
        "falcon",
        "falcon3",
        "gpt-2",
        "gpt-4o",
        "llama-bpe",
        "llama-v3",
        "llama3",
        "mpt",
        "olmo",
        "pixtral",
        "qwen2",
        "qwen35",
        "refact",
        "smaug-bpe",
        "smollm",
        "starcoder",
        "tekken"
      })
  void wordsAreTheWholeTextInLittleTime(String name) {
    PreTokenizer preTokenizer = PreTokenizer.find(name).orElseThrow();
    for (String part :
        List.of("a", "A", "中", " ", "\n", " \n", "1", "'", "é.", "🦊", "aA 1\t\u00A0")) {
      String text = part.repeat((1 << 18) / part.length());
      List<String> words =
          Assertions.assertTimeoutPreemptively(
              Duration.ofSeconds(10), () -> preTokenizer.words(text));
      assertThat(String.join("", words)).isEqualTo(text);
      assertThat(words).doesNotContain("");
    }
  }

  private static String plain(String text) {
    return text.replace('·', ' ').replace('⏎', '\n');
  }
}
