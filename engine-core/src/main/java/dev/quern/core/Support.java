package dev.quern.core;

/** Whether a backend runs an operation with a kernel of its own. */
public sealed interface Support {
  /**
   * It does.
   *
   * @param kernel the name of the kernel that would be chosen
   */
  record Yes(String kernel) implements Support {}

  /**
   * It does not: the operation runs on the host through the reference, counted by {@link
   * Statistics#hostSteps}.
   *
   * @param reason why, in words that a user understands
   */
  record No(String reason) implements Support {}
}
