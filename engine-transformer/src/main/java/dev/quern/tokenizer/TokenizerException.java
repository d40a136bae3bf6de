package dev.quern.tokenizer;

/** A vocabulary cannot be used. The message names the file, the rule, and what was found. */
public final class TokenizerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public TokenizerException(String message) {
    super(message);
  }
}
