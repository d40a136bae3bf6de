package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.Fixtures;
import dev.quern.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tokens of texts as the reference implementations give them, for published vocabularies. */
class VocabularyCasesTest {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

  /** Every vocabulary of the folder that has cases beside it. */
  @TestFactory
  Stream<DynamicTest> publishedCasesAreEqual() throws IOException {
    List<Path> cases = Fixtures.files("vocab", ".gguf.inp");
    assertThat(cases).hasSizeGreaterThanOrEqualTo(5);
    return cases.stream()
        .map(file ->
            DynamicTest.dynamicTest(
                String.valueOf(file.getFileName()),
                () -> check(Path.of(file.toString().replaceAll("\\.inp$", "")))));
  }

  private static void check(Path vocabulary) throws IOException {
    List<String> texts =
        Arrays.asList(Files.readString(Path.of(vocabulary + ".inp")).split(SEPARATOR, -1));
    // Both files end with a separator: the last case is the empty text, which has no tokens.
    List<String> expected =
        Arrays.asList(Files.readString(Path.of(vocabulary + ".out")).split("\n", -1));
    assertThat(texts).hasSizeGreaterThan(40).hasSameSizeAs(expected);
    Tokenizer tokenizer = tokenizer(vocabulary);
    SoftAssertions soft = new SoftAssertions();
    for (int i = 0; i < texts.size(); i++) {
      soft.assertThat(tokenizer.encode(texts.get(i), false, true))
          .as("case %d: \"%s\"", i, texts.get(i))
          .containsExactly(numbers(expected.get(i)));
      // The phi-3 rule that white space belongs to a control token is the only loss.
      soft.assertThat(tokenizer.decode(tokenizer.encode(texts.get(i), true, false)))
          .as("decoded case %d", i)
          .isEqualTo(texts.get(i));
    }
    soft.assertAll();
  }

  @ParameterizedTest
  @CsvSource({
    "tokenizer-fable.json, fable/fable-7m-q4_k_m.gguf",
    "tokenizer-spm.json, arch/arch-llama2-spm-f32.gguf"
  })
  void smallSetsAreEqual(String cases, String model) throws IOException {
    Path fixtures = Fixtures.directory();
    JsonNode sets = new ObjectMapper().readTree(fixtures.resolve("vocab/" + cases).toFile());
    Tokenizer tokenizer = tokenizer(fixtures.resolve(model));
    assertThat(sets).hasSizeGreaterThanOrEqualTo(10);
    SoftAssertions soft = new SoftAssertions();
    for (JsonNode set : sets) {
      String text = set.get("text").asText();
      int[] ids = new int[set.get("ids").size()];
      Arrays.setAll(ids, i -> set.get("ids").get(i).asInt());
      soft.assertThat(tokenizer.encode(text, false, true)).as(text).containsExactly(ids);
      soft.assertThat(tokenizer.decode(tokenizer.encode(text, true, false))).isEqualTo(text);
    }
    soft.assertAll();
  }

  private static Tokenizer tokenizer(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return Tokenizers.from(gguf.metadata());
    }
  }

  private static int[] numbers(String line) {
    return Pattern.compile(" ")
        .splitAsStream(line)
        .filter(number -> !number.isEmpty())
        .mapToInt(Integer::parseInt)
        .toArray();
  }
}
