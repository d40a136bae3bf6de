package dev.quern.tokenizer;

/**
 * Decodes tokens as they come, for streaming: what {@link #accept} returns is whole characters, and
 * all pieces together are what {@link Tokenizer#decode} makes of all tokens. Not thread-safe.
 */
public final class TokenDecoder {
  private final Tokenizer tokenizer;
  private final Utf8Stream stream = new Utf8Stream();
  private int previous;

  /**
   * A decoder whose first token follows {@code previous}, for example the last token of a prompt,
   * or {@link Tokenizer#NONE}.
   */
  public TokenDecoder(Tokenizer tokenizer, int previous) {
    this.tokenizer = tokenizer;
    this.previous = previous;
  }

  /** The text that is complete with {@code token}; often empty in the middle of a character. */
  public String accept(int token) {
    byte[] bytes = tokenizer.bytes(previous, token);
    previous = token;
    return stream.accept(bytes);
  }

  /** The rest: U+FFFD if the last character is incomplete, else empty. */
  public String finish() {
    return stream.finish();
  }
}
