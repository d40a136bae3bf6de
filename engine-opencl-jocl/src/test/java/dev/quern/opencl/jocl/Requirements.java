package dev.quern.opencl.jocl;

import dev.quern.core.Probe;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Tests that need a device are skipped without one, or fail with {@code quern.require.opencl}. */
final class Requirements {
  private Requirements() {}

  static void device() {
    if (new JoclBackendProvider().probe() instanceof Probe.Unusable(String reason)) {
      if (Boolean.getBoolean("quern.require.opencl")) {
        Assertions.fail(reason);
      }
      Assumptions.abort(reason);
    }
  }
}
