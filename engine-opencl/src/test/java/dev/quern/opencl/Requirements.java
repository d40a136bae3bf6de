package dev.quern.opencl;

import dev.quern.core.Probe;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Tests that need a device are skipped without one, or fail with {@code quern.require.opencl}. */
final class Requirements {
  private static final String INSTALL =
      "needs an OpenCL device; for the CPU: apt-get install ocl-icd-libopencl1 pocl-opencl-icd";

  private Requirements() {}

  static void device() {
    require(reason());
  }

  /** Also needs the device to be a CPU, where the persistent strategy is a matter of settings. */
  static void cpuDevice() {
    device();
    boolean cpu =
        new OpenClBackendProvider().probe() instanceof Probe.Usable usable
            && usable.rank() == Probe.COMPUTE_CPU;
    Assumptions.assumeTrue(cpu, "needs PoCL alone, but there is a GPU");
  }

  private static Optional<String> reason() {
    return switch (new OpenClBackendProvider().probe()) {
      case Probe.Usable(int rank, List<?> devices) -> Optional.empty();
      case Probe.Unusable(String reason) -> Optional.of(INSTALL + " (" + reason + ")");
    };
  }

  private static void require(Optional<String> missing) {
    if (missing.isPresent() && Boolean.getBoolean("quern.require.opencl")) {
      Assertions.fail(missing.get());
    }
    Assumptions.assumeTrue(missing.isEmpty(), missing.orElse(""));
  }
}
