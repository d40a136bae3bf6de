package dev.quern.transformer;

/** A chat template is malformed, failed, or refused a conversation. */
public final class ChatTemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;

  /** An error at no particular line. */
  public ChatTemplateException(String message) {
    super(message);
    line = 0;
  }

  /**
   * An error of the template, with the message {@code chat template: line N: problem}.
   *
   * @param line line of the template, from 1
   * @param problem what is wrong
   * @param cause what was thrown
   */
  public ChatTemplateException(int line, String problem, Throwable cause) {
    super("chat template: line " + line + ": " + problem, cause);
    this.line = line;
  }

  /** Line of the template, from 1; 0 where unknown. */
  public int line() {
    return line;
  }
}
