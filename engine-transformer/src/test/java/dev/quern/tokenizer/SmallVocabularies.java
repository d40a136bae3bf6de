package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Vocabularies that fit on a page, as the metadata of a file. */
public final class SmallVocabularies {
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int BYTE = 6;

  private SmallVocabularies() {}

  /** Bytes, then what these rules make, then {@code words}, {@code <|end|>}-like tokens last. */
  public static GgufMetadata.Builder byteLevel(String pre, List<String> rules, List<String> words) {
    List<String> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(letter(b));
    }
    rules.forEach(rule -> tokens.add(rule.replace(" ", "")));
    tokens.addAll(words);
    int normal = tokens.size();
    tokens.addAll(List.of("<|bos|>", "<|im_end|>", "<tool>"));
    int[] types = new int[tokens.size()];
    Arrays.fill(types, NORMAL);
    types[normal] = CONTROL;
    types[normal + 1] = CONTROL;
    types[normal + 2] = USER_DEFINED;
    return GgufMetadata.builder("small.gguf")
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", pre)
        .putStrings("tokenizer.ggml.tokens", tokens)
        .putStrings("tokenizer.ggml.merges", rules)
        .put("tokenizer.ggml.token_type", GgufNumbers.of(types))
        .put("tokenizer.ggml.bos_token_id", normal)
        .put("tokenizer.ggml.eos_token_id", normal + 1);
  }

  /** {@code <unk> <s> </s>}, 256 bytes, {@code <tool>}, then {@code pieces}, the best first. */
  public static GgufMetadata.Builder sentencePiece(List<String> pieces) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
    }
    tokens.add("<tool>");
    tokens.addAll(pieces);
    int[] types = new int[tokens.size()];
    Arrays.fill(types, NORMAL);
    types[0] = UNKNOWN;
    types[1] = CONTROL;
    types[2] = CONTROL;
    Arrays.fill(types, 3, 259, BYTE);
    types[259] = USER_DEFINED;
    float[] scores = new float[tokens.size()];
    for (int i = 260; i < scores.length; i++) {
      scores[i] = 259 - i;
    }
    return GgufMetadata.builder("small.gguf")
        .put("tokenizer.ggml.model", "llama")
        .put("tokenizer.ggml.pre", "default")
        .putStrings("tokenizer.ggml.tokens", tokens)
        .put("tokenizer.ggml.scores", GgufNumbers.of(scores))
        .put("tokenizer.ggml.token_type", GgufNumbers.of(types))
        .put("tokenizer.ggml.bos_token_id", 1)
        .put("tokenizer.ggml.eos_token_id", 2)
        .put("tokenizer.ggml.unknown_token_id", 0);
  }

  /** A unigram model of these tokens. */
  static GgufMetadata.Builder unigram(List<String> tokens, float[] scores, int[] types) {
    return GgufMetadata.builder("small.gguf")
        .put("tokenizer.ggml.model", "t5")
        .putStrings("tokenizer.ggml.tokens", tokens)
        .put("tokenizer.ggml.scores", GgufNumbers.of(scores))
        .put("tokenizer.ggml.token_type", GgufNumbers.of(types))
        .put("tokenizer.ggml.eos_token_id", tokens.indexOf("</s>"))
        .put("tokenizer.ggml.unknown_token_id", tokens.indexOf("<unk>"));
  }

  /** As {@link #sentencePiece}, for a unigram model. */
  static GgufMetadata.Builder unigram(List<String> pieces) {
    return sentencePiece(pieces)
        .put("tokenizer.ggml.model", "t5")
        .put("tokenizer.ggml.add_space_prefix", true);
  }

  /** How GPT-2's alphabet writes a byte, as its paper's code makes it: in order of the bytes. */
  static String letter(int b) {
    List<Integer> printable = new ArrayList<>();
    for (int i = 0; i < 256; i++) {
      if ((i >= 33 && i <= 126) || (i >= 161 && i <= 172) || i >= 174) {
        printable.add(i);
      }
    }
    if (printable.contains(b)) {
      return Character.toString(b);
    }
    int others = 0;
    for (int i = 0; i < b; i++) {
      others += printable.contains(i) ? 0 : 1;
    }
    return Character.toString(256 + others);
  }
}
