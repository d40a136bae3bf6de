package dev.quern.testkit;

/** Measures of the difference of two arrays. */
public final class Accuracy {
  private Accuracy() {}

  /**
   * The normalised mean squared error {@code Σ(actual − expected)² / Σ expected²}, in double; 0 for
   * two zero arrays, infinite or NaN where an element is.
   *
   * @throws IllegalArgumentException if the lengths differ
   */
  public static double nmse(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalArgumentException(
          "nmse: lengths must be equal but are %d and %d"
              .formatted(actual.length, expected.length));
    }
    double errors = 0;
    double squares = 0;
    for (int i = 0; i < actual.length; i++) {
      double error = (double) actual[i] - expected[i];
      errors += error * error;
      squares += (double) expected[i] * expected[i];
    }
    return errors == 0 ? 0 : errors / squares;
  }
}
