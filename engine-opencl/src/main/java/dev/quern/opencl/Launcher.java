package dev.quern.opencl;

import dev.quern.core.Bindings;

/** A way to run the steps of a compiled batch. */
interface Launcher {
  /**
   * Enqueues all steps.
   *
   * @return an event of the last launch, to be released
   */
  long launch(Bindings bindings);

  /** Whether a launch whose event has completed gave up, so that its results are not valid. */
  default boolean faulted() {
    return false;
  }

  /** One line for {@code explain()}. */
  String describe();

  /** Releases kernels; the queue must have finished with them. */
  void release();
}
