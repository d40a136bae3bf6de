package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.gguf.GgufException;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.assertj.core.api.SoftAssertions;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The unigram model against SentencePiece itself, and against all ways to cut a text. */
class UnigramTest {
  /**
   * Three models trained by SentencePiece 0.2.2, with its own compiled character maps, and what its
   * {@code encode} answers.
   */
  @TestFactory
  Stream<DynamicTest> sentencePieceAgrees() throws IOException {
    JsonNode models =
        new ObjectMapper().readTree(UnigramTest.class.getResourceAsStream("unigram.json"));
    assertThat(models).hasSize(3);
    return StreamSupport.stream(models.spliterator(), false)
        .map(model -> DynamicTest.dynamicTest(model.get("name").asText(), () -> check(model)));
  }

  private static void check(JsonNode model) {
    List<String> tokens = new ArrayList<>();
    model.get("tokens").forEach(token -> tokens.add(token.asText()));
    float[] scores = new float[tokens.size()];
    int[] types = new int[tokens.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) model.get("scores").get(i).asDouble();
      types[i] = model.get("types").get(i).asInt();
    }
    GgufMetadata.Builder builder =
        SmallVocabularies.unigram(tokens, scores, types)
            .put("tokenizer.ggml.add_space_prefix", model.get("prefix").asBoolean())
            .put("tokenizer.ggml.remove_extra_whitespaces", model.get("singleSpaces").asBoolean());
    String characters = model.get("characters").asText();
    if (!characters.isEmpty()) {
      builder.put("tokenizer.ggml.precompiled_charsmap", bytes(characters));
    }
    Tokenizer tokenizer = Tokenizers.from(builder.build());
    boolean bytes = tokens.contains("<0x00>");
    assertThat(model.get("cases")).hasSize(60);
    SoftAssertions soft = new SoftAssertions();
    for (JsonNode one : model.get("cases")) {
      String text = one.get("text").asText();
      int[] ids = new int[one.get("ids").size()];
      Arrays.setAll(ids, i -> one.get("ids").get(i).asInt());
      int[] actual = tokenizer.encode(text, false, false);
      if (bytes && text.contains("▁")) {
        // SentencePiece takes it for a space and gives a space back; here it comes back.
        soft.assertThat(tokenizer.decode(actual)).contains("▁");
      } else {
        soft.assertThat(actual).as(text).containsExactly(ids);
      }
    }
    soft.assertAll();
  }

  private static GgufNumbers bytes(String base64) {
    byte[] bytes = Base64.getDecoder().decode(base64);
    int[] values = new int[bytes.length];
    Arrays.setAll(values, i -> bytes[i]);
    return GgufNumbers.of(values);
  }

  /** A vocabulary over few letters, whose scores repeat so that ways tie. */
  record Scored(List<String> pieces, List<Integer> scores) {}

  @Provide
  Arbitrary<Scored> vocabularies() {
    Arbitrary<List<String>> pieces =
        Arbitraries.strings()
            .withChars("abé")
            .ofMinLength(1)
            .ofMaxLength(4)
            .set()
            .ofMaxSize(12)
            .map(List::copyOf);
    return pieces.flatMap(some ->
        Combinators.combine(
                Arbitraries.just(some),
                Arbitraries.integers().between(-12, -1).list().ofSize(some.size()))
            .as(Scored::new));
  }

  @Provide
  Arbitrary<String> shortTexts() {
    return Arbitraries.strings().withChars("abéx").ofMinLength(1).ofMaxLength(9);
  }

  @Property
  void noWayToCutATextScoresMore(
      @ForAll("vocabularies") Scored vocabulary, @ForAll("shortTexts") String text) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "</s>"));
    tokens.addAll(vocabulary.pieces);
    float[] scores = new float[tokens.size()];
    int[] types = new int[tokens.size()];
    Arrays.fill(types, SmallVocabularies.NORMAL);
    types[0] = SmallVocabularies.UNKNOWN;
    types[1] = SmallVocabularies.CONTROL;
    Map<String, Double> known = new HashMap<>();
    for (int i = 2; i < scores.length; i++) {
      scores[i] = vocabulary.scores.get(i - 2);
      known.put(tokens.get(i), (double) scores[i]);
    }
    double worst = known.values().stream().mapToDouble(score -> score).min().orElse(0);
    Tokenizer tokenizer = Tokenizers.from(SmallVocabularies.unigram(tokens, scores, types).build());
    double sum = 0;
    StringBuilder again = new StringBuilder();
    for (int token : tokenizer.encode(text, false, false)) {
      // an unknown token stands for a run of characters; the text after it says of how many
      again.append(token == 0 ? "?" : tokens.get(token));
      sum += token == 0 ? 0 : scores[token];
    }
    String pattern = again.toString().replace("?", "(.+)");
    var match = java.util.regex.Pattern.compile(pattern).matcher(text);
    assertThat(match.matches()).isTrue();
    int characters = 0;
    for (int group = 1; group <= match.groupCount(); group++) {
      characters += match.group(group).length();
    }
    assertThat(sum + characters * (worst - 10))
        .isCloseTo(best(text, known, worst - 10), Offset.offset(1e-6));
  }

  /** The best of all ways, each tried. */
  private static double best(String text, Map<String, Double> known, double unknown) {
    if (text.isEmpty()) {
      return 0;
    }
    String first = text.substring(0, 1);
    double best = known.containsKey(first) ? Double.NEGATIVE_INFINITY : unknown;
    best += known.containsKey(first) ? 0 : best(text.substring(1), known, unknown);
    for (int end = 1; end <= text.length(); end++) {
      Double score = known.get(text.substring(0, end));
      if (score != null) {
        best = Math.max(best, score + best(text.substring(end), known, unknown));
      }
    }
    return best;
  }

  @Test
  void textsEndWithTheEndTokenUnlessTheFileSaysNot() {
    GgufMetadata.Builder builder =
        SmallVocabularies.unigram(
            List.of("<unk>", "</s>", "▁a"), new float[] {0, 0, -1}, new int[] {2, 3, 1});
    builder.put("tokenizer.ggml.add_space_prefix", true);
    assertThat(Tokenizers.from(builder.build()).encode("a", true, false)).containsExactly(2, 1);
    assertThat(Tokenizers.from(builder.build()).encode("aa", true, true)).containsExactly(2, 0, 1);
    builder.put("tokenizer.ggml.add_eos_token", false);
    assertThat(Tokenizers.from(builder.build()).encode("a", true, false)).containsExactly(2);
  }

  @Test
  void aDamagedCharacterMapIsNamed() {
    for (int[] damaged : new int[][] {{1, 2}, {8, 0, 0, 0, 1, 1}, {4, 0, 0, 0, 0, -1, -1, -1}}) {
      GgufMetadata.Builder builder =
          SmallVocabularies.unigram(
                  List.of("<unk>", "</s>", "a"), new float[] {0, 0, -1}, new int[] {2, 3, 1})
              .put("tokenizer.ggml.precompiled_charsmap", GgufNumbers.of(damaged));
      assertThatThrownBy(() -> Tokenizers.from(builder.build()).encode("a", false, false))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("precompiled_charsmap");
    }
  }

  @Test
  void aScoreThatIsNoNumberIsNamed() {
    assertThatThrownBy(() ->
            Tokenizers.from(
                SmallVocabularies.unigram(
                        List.of("<unk>", "</s>", "a"),
                        new float[] {0, 0, Float.NaN},
                        new int[] {2, 3, 1})
                    .build()))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("score of token 2 must be finite but is NaN");
  }
}
