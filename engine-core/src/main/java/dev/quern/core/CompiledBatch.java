package dev.quern.core;

import java.util.List;

/**
 * A batch made ready for one backend, to be submitted many times. No weight moves and nothing is
 * compiled at submit; only slots change.
 */
public interface CompiledBatch extends AutoCloseable {
  /** The batch it was compiled from. */
  CommandBatch batch();

  /**
   * Starts the batch after all earlier submits. Does not wait for the device.
   *
   * @param bindings one value for every slot of {@link CommandBatch#bound()}; read before this
   *     returns, so the same object can be changed and submitted again
   * @throws IllegalArgumentException if a slot is unbound or a binding does not fit it
   * @throws IllegalStateException if this batch or a bound buffer is closed
   * @throws BackendException if the device failed; the backend stays usable
   */
  Completion submit(Bindings bindings);

  /**
   * Runs the batch once, each of its steps alone, and answers how long each took, in the order in
   * which they ran. Results are those of {@link #submit}; the time of all steps together is longer
   * than that of a submit, which may run steps side by side and waits for none of them. A backend
   * that cannot tell its steps apart answers one for the whole batch.
   *
   * @throws IllegalArgumentException as {@link #submit}
   * @throws IllegalStateException as {@link #submit}
   * @throws BackendException as {@link #submit}
   */
  default List<StepTime> profile(Bindings bindings) {
    long start = System.nanoTime();
    submit(bindings).await();
    return List.of(new StepTime(batch().ops(), "batch", System.nanoTime() - start));
  }

  /** What the backend made of the batch, operation by operation, for people to read. */
  String explain();

  /** Gives its scratch memory back, after its submits have finished. Closing twice does nothing. */
  @Override
  void close();
}
