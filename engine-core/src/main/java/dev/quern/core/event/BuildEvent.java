package dev.quern.core.event;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A batch was compiled, or a program built for a device. */
@Name("quern.Build")
@Label("Build")
@Category("Quern")
@StackTrace(false)
public final class BuildEvent extends Event {
  /** What was built. */
  public enum Kind {
    /** A batch: lowered, planned, its kernels chosen. */
    BATCH,
    /** A program from source. */
    PROGRAM,
    /** A program from its binary in the cache. */
    CACHED_PROGRAM
  }

  /** Name of the backend. */
  @Label("Backend")
  public String backend = "";

  /** Name of the batch, or what the program is made of. */
  @Label("What")
  public String what = "";

  /** A {@link Kind}. */
  @Label("Kind")
  public String kind = "";

  /** An event that has not begun. */
  public BuildEvent() {}

  /** Ends and records it, if somebody listens. */
  public void end(String onBackend, String built, Kind ofKind) {
    end();
    if (shouldCommit()) {
      backend = onBackend;
      what = built;
      kind = ofKind.name();
      commit();
    }
  }
}
