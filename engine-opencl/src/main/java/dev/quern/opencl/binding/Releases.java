package dev.quern.opencl.binding;

import java.lang.System.Logger.Level;

/** What a binding does with the status of a release. */
public final class Releases {
  private static final System.Logger LOG = System.getLogger(Releases.class.getName());

  private Releases() {}

  /**
   * Logs a failed release. It does not throw: whoever gives things back has more to give back, and
   * nothing else could be done about this one, which goes with its context.
   */
  public static void done(int status, String name, long handle) {
    if (status != OpenClStatus.SUCCESS) {
      LOG.log(
          Level.WARNING,
          new OpenClException(OpenClException.describe(name, handle), status).getMessage());
    }
  }
}
