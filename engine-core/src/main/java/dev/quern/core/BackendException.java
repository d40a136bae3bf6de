package dev.quern.core;

/**
 * A backend could not be opened, or failed while it worked. The message names what and why. Under
 * {@code auto} the model then moves to the next backend.
 */
public class BackendException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BackendException(String message) {
    super(message);
  }

  public BackendException(String message, Throwable cause) {
    super(message, cause);
  }
}
