package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.gguf.GgufException;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizersTest {
  private static final List<String> RULES = List.of("h e", "Ġ t", "Ġt he", "a b", "b c");

  @Test
  void mergesApplyInTheOrderOfTheirRules() {
    Tokenizer tokenizer = bpe("gpt-2");
    assertThat(texts(tokenizer, "abc")).containsExactly("ab", "c");
    assertThat(texts(tokenizer, "bc the")).containsExactly("bc", "Ġthe");
    assertThat(texts(tokenizer, "ababab")).containsExactly("ab", "ab", "ab");
  }

  @Test
  void theLeftmostOfEqualPairsJoinsFirst() {
    Tokenizer tokenizer =
        Tokenizers.from(SmallVocabularies.byteLevel("gpt-2", List.of("a a"), List.of()).build());
    assertThat(texts(tokenizer, "aaa")).containsExactly("aa", "a");
  }

  @Test
  void aWholeWordIsOneTokenWhereTheModelIgnoresMerges() {
    List<String> words = List.of("cab");
    assertThat(
            texts(
                Tokenizers.from(SmallVocabularies.byteLevel("llama-bpe", RULES, words).build()),
                "cab"))
        .containsExactly("cab");
    assertThat(
            texts(
                Tokenizers.from(SmallVocabularies.byteLevel("gpt-2", RULES, words).build()), "cab"))
        .containsExactly("c", "ab");
  }

  @Test
  void numbersAreCutAsTheNamedPatternSays() {
    List<String> rules = List.of("1 2", "12 3", "123 4");
    assertThat(texts(Tokenizers.from(byteLevel("gpt-2", rules)), "1234")).containsExactly("1234");
    assertThat(texts(Tokenizers.from(byteLevel("llama3", rules)), "1234"))
        .containsExactly("123", "4");
    assertThat(texts(Tokenizers.from(byteLevel("qwen2", rules)), "1234"))
        .containsExactly("1", "2", "3", "4");
  }

  @Test
  void aRuleMayMakeWhatIsNoToken() {
    // "xy" is a step on the way to "xyz" but not in the vocabulary
    GgufMetadata metadata =
        byteLevelBuilder("gpt-2", List.of("x y", "xy z"))
            .putStrings("tokenizer.ggml.merges", List.of("x y", "q r", "qr s"))
            .build();
    Tokenizer tokenizer = Tokenizers.from(metadata);
    assertThat(texts(tokenizer, "qrs")).containsExactly("q", "r", "s");
    assertThat(tokenizer.decode(tokenizer.encode("qrsxy", false, false))).isEqualTo("qrsxy");
  }

  @Test
  void controlTokensAreReadOnlyWhenAskedFor() {
    Tokenizer tokenizer = bpe("gpt-2");
    int end = tokenizer.find("<|im_end|>").getAsInt();
    assertThat(tokenizer.encode("a<|im_end|>", false, true))
        .containsExactly(tokenizer.find("a").getAsInt(), end);
    assertThat(tokenizer.encode("a<|im_end|>", false, false)).doesNotContain(end).hasSize(11);
    assertThat(tokenizer.decode('a', end)).isEqualTo("a");
    assertThat(texts(tokenizer, "x<tool>y")).containsExactly("x", "<tool>", "y");
  }

  @Test
  void theLongestSpecialTokenWins() {
    SpecialTokens tokens = new SpecialTokens(Map.of("<a", 1, "<a>", 2, "<ab>", 3, "b", 4));
    assertThat(tokens.next("x<ab", 0)).isEqualTo(new SpecialTokens.Match(1, 1, 3));
    assertThat(tokens.next("x<ab>", 0)).isEqualTo(new SpecialTokens.Match(3, 1, 5));
    assertThat(tokens.next("<a>b", 1)).isEqualTo(new SpecialTokens.Match(4, 3, 4));
    assertThat(tokens.next("<", 0).token()).isEqualTo(Tokenizer.NONE);
  }

  @Test
  void beginOfSequenceIsAddedAsTheFileOrItsKindSays() {
    assertThat(bpe("gpt-2").addBos()).isFalse();
    Tokenizer llama3 = bpe("llama-bpe");
    assertThat(llama3.encode("a", true, false)).startsWith(llama3.bos().getAsInt()).hasSize(2);
    assertThat(llama3.encode("a", false, false)).hasSize(1);
    Tokenizer told =
        Tokenizers.from(
            byteLevelBuilder("llama-bpe", RULES)
                .put("tokenizer.ggml.add_bos_token", false)
                .put("tokenizer.ggml.add_eos_token", true)
                .build());
    assertThat(told.encode("a", true, false)).endsWith(told.eos().getAsInt()).hasSize(2);
  }

  @Test
  void wellKnownNamesEndAGeneration() {
    Tokenizer tokenizer =
        Tokenizers.from(
            SmallVocabularies.byteLevel(
                    "gpt-2", RULES, List.of("<|eot_id|>", "<end_of_turn>", "<|endoftext|>"))
                .put("tokenizer.ggml.eot_token_id", 7)
                .build());
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<|im_end|>").getAsInt())).isTrue();
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<|eot_id|>").getAsInt())).isTrue();
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<end_of_turn>").getAsInt())).isTrue();
    assertThat(tokenizer.isEndOfGeneration(7)).isTrue();
    assertThat(tokenizer.isEndOfGeneration(8)).isFalse();
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<tool>").getAsInt())).isFalse();
    assertThat(tokenizer.bytes(tokenizer.find("<|eot_id|>").getAsInt())).isEmpty();
  }

  @Test
  void aHarmonyMessageEndsNoGeneration() {
    Tokenizer tokenizer =
        Tokenizers.from(
            SmallVocabularies.byteLevel(
                    "gpt-2", RULES, List.of("<|return|>", "<|call|>", "<|end|>"))
                .build());
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<|return|>").getAsInt())).isTrue();
    assertThat(tokenizer.isEndOfGeneration(tokenizer.find("<|end|>").getAsInt())).isFalse();
  }

  @Test
  void sentencePieceJoinsTheBestScoreFirst() {
    Tokenizer tokenizer = spm(List.of("▁", "a", "b", "c", "bc", "ab", "▁a", "▁ab")); // bc before ab
    assertThat(texts(tokenizer, "abc")).containsExactly("▁a", "bc");
    assertThat(texts(tokenizer, "ab")).containsExactly("▁ab");
    assertThat(texts(tokenizer, "é")).containsExactly("▁", "<0xC3>", "<0xA9>");
    assertThat(tokenizer.encode("", false, true)).isEmpty();
    assertThat(tokenizer.encode("a", true, true)).startsWith(1).hasSize(2);
  }

  @Test
  void aSpaceComesBeforeTextAndAfterSpecialTokensOnly() {
    Tokenizer tokenizer = spm(List.of("▁", "a", "b", "▁a", "▁b"));
    assertThat(texts(tokenizer, "a b<tool>a")).containsExactly("▁a", "▁b", "<tool>", "▁a");
    assertThat(tokenizer.decode(tokenizer.encode("a<s>b", false, true))).isEqualTo("ab");
    int word = tokenizer.find("▁a").getAsInt();
    assertThat(new TokenDecoder(tokenizer, word).accept(word)).isEqualTo(" a");
    assertThat(new TokenDecoder(tokenizer, Tokenizer.NONE).accept(word)).isEqualTo("a");
    assertThat(new TokenDecoder(tokenizer, 1).accept(word)).isEqualTo("a");
    assertThat(new String(tokenizer.bytes(word), StandardCharsets.UTF_8)).isEqualTo(" a");
  }

  @Test
  void phi3TakesWhiteSpaceAfterControlTokens() {
    GgufMetadata.Builder builder = SmallVocabularies.sentencePiece(List.of("▁", "a", "▁a"));
    assertThat(texts(Tokenizers.from(builder.build()), "</s>\n a"))
        .containsExactly("</s>", "▁", "<0x0A>", "▁a");
    Tokenizer phi = Tokenizers.from(builder.put("general.name", "Phi3").build());
    assertThat(texts(phi, "</s>\n a")).containsExactly("</s>", "▁a");
    assertThat(texts(phi, "<s> a")).containsExactly("<s>", "▁", "▁a");
  }

  @Test
  void charactersAreHeldBackUntilTheyAreComplete() {
    Utf8Stream stream = new Utf8Stream();
    byte[] fox = "🦊".getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 3; i++) {
      assertThat(stream.accept(new byte[] {fox[i]})).isEmpty();
    }
    assertThat(stream.accept(new byte[] {fox[3], 'a'})).isEqualTo("🦊a");
    assertThat(stream.accept(new byte[] {fox[0], 'b'})).isEqualTo("\uFFFDb");
    assertThat(stream.accept(new byte[] {fox[0], fox[1]})).isEmpty();
    assertThat(stream.finish()).isEqualTo("\uFFFD");
    assertThat(stream.accept(new byte[] {'c'})).isEqualTo("c");
    assertThat(stream.finish()).isEmpty();
  }

  @Test
  void whatIsNotKnownIsNamed() {
    assertThatThrownBy(() -> bpe("llama-4000"))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("llama-4000")
        .hasMessageContaining("qwen2");
    assertThatThrownBy(() ->
            Tokenizers.from(
                byteLevelBuilder("gpt-2", RULES).put("tokenizer.ggml.model", "x").build()))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("tokenizer.ggml.model")
        .hasMessageContaining("but is x");
    assertThatThrownBy(() -> Tokenizers.from(GgufMetadata.builder("m").build()))
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("tokenizer.ggml.model");
  }

  @Test
  void aVocabularyThatContradictsItselfIsRefused() {
    assertThatThrownBy(() ->
            Tokenizers.from(
                byteLevelBuilder("gpt-2", RULES)
                    .put("tokenizer.ggml.token_type", GgufNumbers.of(1, 1))
                    .build()))
        .hasMessageContaining("token_type");
    assertThatThrownBy(() ->
            Tokenizers.from(
                byteLevelBuilder("gpt-2", RULES)
                    .putStrings("tokenizer.ggml.merges", List.of("ab"))
                    .build()))
        .hasMessageContaining("\"ab\"");
    assertThatThrownBy(() ->
            Tokenizers.from(
                SmallVocabularies.sentencePiece(List.of("a"))
                    .put("tokenizer.ggml.scores", GgufNumbers.of(1f))
                    .build()))
        .hasMessageContaining("scores");
    assertThatThrownBy(() -> bpe("gpt-2").text(100_000)).hasMessageContaining("but is 100000");
  }

  /** A quadratic merge would take hours; a regex that recurses would overflow the stack. */
  @ParameterizedTest
  @ValueSource(
      strings = {"a", "ab", " ", "\n", "\r\n ", ".", "1", "é", "中", "🦊", "<", "'s", "random"})
  void aLongTextWithoutWordsTakesNoQuadraticTime(String part) {
    StringBuilder text = new StringBuilder();
    Random random = new Random(7);
    while (text.length() < 1 << 19) {
      text.append(part.equals("random") ? String.valueOf((char) ('a' + random.nextInt(3))) : part);
    }
    Tokenizer spm = spm(List.of("▁", "a", "b", "c", "aa", "ab", "▁▁", "aaaa", "▁▁▁▁", "abab"));
    Tokenizer unigram =
        Tokenizers.from(SmallVocabularies.unigram(List.of("▁", "a", "ab", "▁▁▁▁", "aaaa")).build());
    for (Tokenizer tokenizer :
        List.of(bpe("gpt-2"), bpe("llama-bpe"), bpe("qwen2"), spm, unigram)) {
      int[] tokens =
          Assertions.assertTimeoutPreemptively(
              Duration.ofSeconds(20), () -> tokenizer.encode(text.toString(), false, true));
      assertThat(tokenizer.decode(tokens)).isEqualTo(text.toString());
    }
  }

  private static Tokenizer bpe(String pre) {
    return Tokenizers.from(byteLevel(pre, RULES));
  }

  private static Tokenizer spm(List<String> pieces) {
    return Tokenizers.from(SmallVocabularies.sentencePiece(pieces).build());
  }

  private static GgufMetadata byteLevel(String pre, List<String> rules) {
    return byteLevelBuilder(pre, rules).build();
  }

  private static GgufMetadata.Builder byteLevelBuilder(String pre, List<String> rules) {
    return SmallVocabularies.byteLevel(pre, rules, List.of());
  }

  private static List<String> texts(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text, false, true)).mapToObj(tokenizer::text).toList();
  }
}
