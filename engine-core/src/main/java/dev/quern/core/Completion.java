package dev.quern.core;

/** A submit under way. */
@FunctionalInterface
public interface Completion {
  /** A submit that has already finished. */
  Completion DONE = () -> {};

  /**
   * Waits until the submit has finished. May be called from any thread, and more than once, with
   * the same outcome.
   *
   * @throws BackendException if it failed
   */
  void await();
}
