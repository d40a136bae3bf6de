package dev.quern.opencl;

/** What a row of the kernel table says to an operation. */
sealed interface Offer {
  /**
   * It does it.
   *
   * @param step how
   */
  record Took(Step.Kernel step) implements Offer {}

  /**
   * It does not.
   *
   * @param reason why, in words that a user understands
   */
  record Refused(String reason) implements Offer {}
}
