package dev.quern.core.event;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A backend took a weight over: a copy to the device, or the use of host memory in place. */
@Name("quern.Upload")
@Label("Upload")
@Category("Quern")
@StackTrace(false)
public final class UploadEvent extends Event {
  /** Name of the backend. */
  @Label("Backend")
  public String backend = "";

  /** Name of the tensor. */
  @Label("Tensor")
  public String tensor = "";

  /** Its bytes as stored. */
  @Label("Bytes")
  @DataAmount
  public long bytes;

  /** Whether the backend uses them where they are. */
  @Label("In place")
  public boolean inPlace;

  /** An event that has not begun. */
  public UploadEvent() {}

  /** Ends and records it, if somebody listens. */
  public void end(String onBackend, String ofTensor, long stored, boolean whereItIs) {
    end();
    if (shouldCommit()) {
      backend = onBackend;
      tensor = ofTensor;
      bytes = stored;
      inPlace = whereItIs;
      commit();
    }
  }
}
