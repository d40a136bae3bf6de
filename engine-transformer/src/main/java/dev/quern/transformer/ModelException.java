package dev.quern.transformer;

/** A model cannot be loaded or run. The message names the model, the rule and the value. */
public class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(message);
  }
}
