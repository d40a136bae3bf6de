package dev.quern.transformer;

/** A model cannot be loaded or run. The message names the model, the rule and the value. */
public class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(message);
  }

  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What an operation says of numbers that it cannot be made with. */
  static ModelException numbers(String model, RuntimeException cause) {
    return new ModelException(
        "%s: the numbers of a model must fit each other but do not; %s"
            .formatted(model, cause.getMessage()),
        cause);
  }
}
