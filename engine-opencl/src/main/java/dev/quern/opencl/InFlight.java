package dev.quern.opencl;

import dev.quern.core.BackendException;
import dev.quern.core.Completion;
import dev.quern.opencl.binding.OpenClException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The submits that the host has not seen finish yet, oldest first. Guarded by the device's lock.
 */
final class InFlight {
  /** A host that runs further ahead than this waits for the oldest. */
  private static final int MOST = 64;

  private final OpenDevice device;
  private final Deque<Submit> submits = new ArrayDeque<>();

  InFlight(OpenDevice device) {
    this.device = device;
  }

  private final class Submit implements Completion {
    private final CompiledOpenClBatch batch;
    private final long event;
    private boolean done;
    private @Nullable OpenClException failure;

    Submit(CompiledOpenClBatch batch, long event) {
      this.batch = batch;
      this.event = event;
    }

    @Override
    public void await() {
      synchronized (device) {
        try {
          if (!done) {
            settleUpTo(this);
          }
          if (failure != null) {
            throw failure;
          }
        } catch (OpenClException e) {
          throw new BackendException(
              "%s: the device must finish the batch but failed; %s"
                  .formatted(batch.batch().name(), e.getMessage()),
              e);
        }
      }
    }
  }

  /** Waits until one more may be added. */
  void makeRoom() {
    while (submits.size() >= MOST) {
      settleUpTo(submits.getFirst());
    }
  }

  Completion add(CompiledOpenClBatch batch, long event) {
    Submit submit = new Submit(batch, event);
    submits.add(submit);
    return submit;
  }

  /** Waits for all submits; those of a device that is lost have failed. */
  void settle() {
    try {
      if (!submits.isEmpty()) {
        settleUpTo(submits.getLast());
      }
    } catch (OpenClException e) {
      for (Submit submit : submits) {
        submit.done = true;
        submit.failure = e;
        device.cl().releaseEvent(submit.event);
      }
      submits.clear();
    }
  }

  /**
   * Takes note that the queue is empty.
   *
   * @return whether a submit was run once more, so that what was read since must be read again
   */
  boolean finished() {
    return !submits.isEmpty() && finishedUpTo(submits.getLast());
  }

  private void settleUpTo(Submit last) {
    device.counters().waits++;
    device.cl().await(last.event);
    finishedUpTo(last);
  }

  /**
   * Retires a finished submit and all before it, and checks their grid barriers.
   *
   * @return whether {@code last} was run once more
   * @throws BackendException if one timed out and later submits have already used its results
   */
  private boolean finishedUpTo(Submit last) {
    Set<CompiledOpenClBatch> finished = new LinkedHashSet<>();
    Submit submit;
    do {
      submit = submits.removeFirst();
      submit.done = true;
      device.cl().releaseEvent(submit.event);
      finished.add(submit.batch);
    } while (submit != last);
    boolean repeated = false;
    for (CompiledOpenClBatch batch : finished) {
      if (batch.faulted()) {
        boolean only = finished.size() == 1 && submits.isEmpty();
        batch.recover();
        repeated = true;
        if (!only) {
          throw new BackendException(
              ("%s: the persistent kernel must pass its grid barrier but timed out, and later work"
                      + " may have used its results; submit again")
                  .formatted(batch.batch().name()));
        }
      }
    }
    return repeated;
  }
}
