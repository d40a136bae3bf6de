package dev.quern.chat;

/** An error that Python or jinja2 would raise; the renderer adds the line of the template. */
final class PyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PyException(String message) {
    super(message);
  }
}
