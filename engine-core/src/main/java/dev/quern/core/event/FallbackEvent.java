package dev.quern.core.event;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A slower way, or another backend, was taken after a failure; also logged. */
@Name("quern.Fallback")
@Label("Fallback")
@Category("Quern")
@StackTrace(false)
public final class FallbackEvent extends Event {
  /** What was given up. */
  @Label("From")
  public String from = "";

  /** What is done now. */
  @Label("To")
  public String to = "";

  /** Why. */
  @Label("Reason")
  public String reason = "";

  private FallbackEvent() {}

  /** Records one. */
  public static void record(String from, String to, String reason) {
    FallbackEvent event = new FallbackEvent();
    if (event.shouldCommit()) {
      event.from = from;
      event.to = to;
      event.reason = reason;
      event.commit();
    }
  }
}
