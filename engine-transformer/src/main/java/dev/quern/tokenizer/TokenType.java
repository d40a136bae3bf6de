package dev.quern.tokenizer;

/** What a token is; the position is the number in {@code tokenizer.ggml.token_type}. */
enum TokenType {
  UNDEFINED,
  NORMAL,
  UNKNOWN,
  CONTROL,
  USER_DEFINED,
  UNUSED,
  BYTE;

  static TokenType of(int number) {
    return number >= 0 && number < values().length ? values()[number] : UNDEFINED;
  }

  /** True if text may be put together from such tokens. */
  boolean isText() {
    return this == NORMAL || this == USER_DEFINED || this == UNDEFINED;
  }
}
