package dev.quern.chat;

/** The template is malformed. */
final class SyntaxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;

  SyntaxException(int line, String message) {
    super(message);
    this.line = line;
  }

  int line() {
    return line;
  }
}
