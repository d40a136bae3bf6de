package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which tokens end a generation. Files name one end-of-sequence token, but chat models end their
 * turn with others, so well-known names count too, as they do in llama.cpp.
 */
final class EndOfGeneration {
  private static final List<String> KEYS =
      List.of(
          "tokenizer.ggml.eos_token_id",
          "tokenizer.ggml.eot_token_id",
          "tokenizer.ggml.eom_token_id",
          "tokenizer.ggml.fim_pad_token_id",
          "tokenizer.ggml.fim_rep_token_id",
          "tokenizer.ggml.fim_sep_token_id");

  private static final Set<String> NAMES =
      Set.of(
          "<|eot_id|>",
          "<|eom_id|>",
          "<|im_end|>",
          "<|end|>",
          "<|return|>",
          "<|call|>",
          "<|calls|>",
          "<|flush|>",
          "<end_of_turn>",
          "<turn|>",
          "<|tool_response>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<end_of_utterance>",
          "<｜end▁of▁sentence｜>",
          "</s>",
          "<eos>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "[EOS]",
          "[e~[",
          "<|fim_pad|>",
          "<fim-pad>",
          "<fim_pad>",
          "<PAD>",
          "[PAD]",
          "<|fim_repo|>",
          "<|repo_name|>",
          "<fim-repo>",
          "<REPO>",
          "<reponame>",
          "<|file_sep|>");

  private EndOfGeneration() {}

  /** True if a token of this text could be in {@link #NAMES}: it spares making most strings. */
  static boolean mayBeNamed(byte[] text) {
    return text.length >= 4
        && text.length <= 32
        && (text[0] == '<' || text[0] == '[' || text[0] == '_');
  }

  static boolean isNamed(String text) {
    return NAMES.contains(text);
  }

  /**
   * The tokens that end a generation.
   *
   * @param named the tokens whose text {@link #isNamed}, by text
   */
  static BitSet of(GgufMetadata metadata, int size, Map<String, Integer> named) {
    BitSet ends = new BitSet(size);
    named.values().forEach(ends::set);
    for (String key : KEYS) {
      metadata.findLong(key).stream()
          .filter(id -> id >= 0 && id < size)
          .forEach(id -> ends.set((int) id));
    }
    // In the harmony format a message ends with <|end|>, and the turn goes on.
    boolean harmony =
        (named.containsKey("<|return|>") && named.containsKey("<|call|>"))
            || (named.containsKey("<|flush|>") && named.containsKey("<|calls|>"));
    if (harmony && named.containsKey("<|end|>")) {
      ends.clear(named.get("<|end|>"));
    }
    if (named.containsKey("<|tool_response>") && named.containsKey("</s>")) {
      ends.clear(named.get("</s>"));
    }
    return ends;
  }
}
