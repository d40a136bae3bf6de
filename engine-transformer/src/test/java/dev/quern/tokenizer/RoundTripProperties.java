package dev.quern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** What goes in comes out, whatever it is, at once and streamed. */
class RoundTripProperties {
  private static final List<String> RULES = List.of("Ġ t", "h e", "Ġt he", "Ã ©", "Ġ Ġ", "1 2");
  private static final List<String> PIECES =
      List.of("▁", "▁▁", "e", "h", "t", "he", "▁t", "▁the", "é", "12", "1", "2", "\n\n", "\n");
  private static final Tokenizer GPT2 =
      Tokenizers.from(SmallVocabularies.byteLevel("gpt-2", RULES, List.of()).build());
  private static final Tokenizer LLAMA3 =
      Tokenizers.from(SmallVocabularies.byteLevel("llama-bpe", RULES, List.of("héé")).build());
  private static final Tokenizer SENTENCE_PIECE =
      Tokenizers.from(SmallVocabularies.sentencePiece(PIECES).build());
  private static final Tokenizer NO_PREFIX =
      Tokenizers.from(
          SmallVocabularies.sentencePiece(PIECES)
              .put("tokenizer.ggml.add_space_prefix", false)
              .build());
  private static final Tokenizer NO_SPACE =
      Tokenizers.from(SmallVocabularies.sentencePiece(List.of("a", "b", "ab")).build());
  private static final Tokenizer UNIGRAM =
      Tokenizers.from(SmallVocabularies.unigram(PIECES).build());
  private static final Tokenizer UNIGRAM_WITHOUT_PREFIX =
      Tokenizers.from(
          SmallVocabularies.unigram(PIECES).put("tokenizer.ggml.add_space_prefix", false).build());
  private static final Tokenizer FABLE = fable();

  @Property
  void byteLevelLikeGpt2(@ForAll("texts") String text) {
    check(GPT2, text);
  }

  @Property
  void byteLevelLikeLlama3(@ForAll("texts") String text) {
    check(LLAMA3, text);
  }

  @Property
  void byteLevelLikeQwen2(@ForAll("texts") String text) {
    check(FABLE, text);
  }

  @Property
  void sentencePiece(@ForAll("texts") String text) {
    check(SENTENCE_PIECE, text);
    check(NO_PREFIX, text);
    check(NO_SPACE, text);
  }

  /** A vocabulary with bytes and without a map of characters loses nothing. */
  @Property
  void unigram(@ForAll("texts") String text) {
    check(UNIGRAM, text);
    check(UNIGRAM_WITHOUT_PREFIX, text);
  }

  private static void check(Tokenizer tokenizer, String text) {
    for (boolean addSpecial : new boolean[] {false, true}) {
      int[] tokens = tokenizer.encode(text, addSpecial, false);
      assertThat(tokenizer.decode(tokens)).isEqualTo(text);
      TokenDecoder decoder = new TokenDecoder(tokenizer, Tokenizer.NONE);
      StringBuilder streamed = new StringBuilder();
      for (int token : tokens) {
        String piece = decoder.accept(token);
        assertThat(piece.isEmpty() || !Character.isLowSurrogate(piece.charAt(0))).isTrue();
        streamed.append(piece);
      }
      assertThat(decoder.finish()).isEmpty();
      assertThat(streamed.toString()).isEqualTo(text);
    }
  }

  /** Any code points but surrogates; spaces, marks and the vocabularies' own texts more often. */
  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> any =
        Arbitraries.integers()
            .between(0, 0x10FFFF)
            .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
            .map(Character::toString);
    Arbitrary<String> plain = Arbitraries.chars().range(' ', '~').map(String::valueOf);
    Arbitrary<String> likely =
        Arbitraries.of(
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "▁",
            "Ġ",
            "the",
            "é",
            "'s",
            "12",
            "<tool>",
            "<s>",
            "<|im_end|>",
            "<0x41>",
            "</s>",
            "\uFFFD",
            "\u00A0",
            "🦊",
            "\u0301",
            "\0");
    return Arbitraries.frequencyOf(Tuple.of(2, any), Tuple.of(3, plain), Tuple.of(3, likely))
        .list()
        .ofMaxSize(40)
        .map(parts -> parts.stream().collect(Collectors.joining()));
  }

  private static Tokenizer fable() {
    try (InputStream in = FableModels.defaultModel().open();
        GgufFile file = GgufFile.read(in, "fable")) {
      return Tokenizers.from(file.metadata());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
