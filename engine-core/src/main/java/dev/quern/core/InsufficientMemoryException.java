package dev.quern.core;

/** A device has no room for what is asked of it. The message says what would help. */
public class InsufficientMemoryException extends BackendException {
  private static final long serialVersionUID = 1L;

  public InsufficientMemoryException(String message) {
    super(message);
  }

  public InsufficientMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
