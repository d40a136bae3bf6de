package dev.quern.core.event;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A submit of a compiled batch: a decode step, or a part of a prompt. */
@Name("quern.Step")
@Label("Step")
@Category("Quern")
@Description(
    "A submit of a compiled batch. Backends that run ahead of their device return when it is"
        + " enqueued; the others when it is done")
@StackTrace(false)
public final class StepEvent extends Event {
  /** Name of the backend. */
  @Label("Backend")
  public String backend = "";

  /** Name of the batch. */
  @Label("Batch")
  public String batch = "";

  /** Bytes of weights that it reads. */
  @Label("Weights")
  @DataAmount
  public long weightBytes;

  /** An event that has not begun. */
  public StepEvent() {}

  /** Ends and records it, if somebody listens. */
  public void end(String onBackend, String ofBatch, long weights) {
    end();
    if (shouldCommit()) {
      backend = onBackend;
      batch = ofBatch;
      weightBytes = weights;
      commit();
    }
  }
}
