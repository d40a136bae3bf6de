package dev.quern.transformer;

import java.util.List;

/**
 * What was generated.
 *
 * @param text the generated text, without what ended it
 * @param tokens the generated tokens, the end token included if there was one
 * @param end why it ended
 * @param promptTokens tokens fed before the first was generated
 * @param promptNanos time until the first token was known
 * @param decodeNanos time from the first token to the last
 */
public record Generation(
    String text,
    List<Integer> tokens,
    End end,
    int promptTokens,
    long promptNanos,
    long decodeNanos) {
  public Generation {
    tokens = List.copyOf(tokens);
  }

  /** Why a generation ended. */
  public enum End {
    /** The model said so. */
    END_OF_TEXT,
    /** A stop text appeared. */
    STOP_TEXT,
    /** As many tokens as asked for. */
    MAX_TOKENS,
    /** The context holds no more. */
    CONTEXT_FULL,
    /** {@link Session#cancel} or an interrupt. */
    CANCELLED
  }

  /** Prompt tokens per second. */
  public double promptRate() {
    return promptTokens * 1e9 / Math.max(1, promptNanos);
  }

  /** Generated tokens per second after the first. */
  public double decodeRate() {
    return (tokens.size() - 1) * 1e9 / Math.max(1, decodeNanos);
  }
}
