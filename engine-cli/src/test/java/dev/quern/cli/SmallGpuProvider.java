package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.opencl.OpenClBackendProvider;
import java.util.List;
import java.util.Map;

/**
 * The OpenCL device of this machine as a GPU that {@code auto} takes first, with as little memory
 * as the property {@code quern.test.small-gpu} says; without it there is none.
 */
public final class SmallGpuProvider implements BackendProvider {
  static final String MEMORY = "quern.test.small-gpu";

  /** For {@link java.util.ServiceLoader}. */
  public SmallGpuProvider() {}

  @Override
  public String name() {
    return "small";
  }

  @Override
  public Probe probe() {
    return System.getProperty(MEMORY) == null
        ? new Probe.Unusable("small: only in one test")
        : new Probe.Usable(
            Probe.GPU,
            List.of(
                new Device("small", "none", "tests", Device.Kind.GPU, 1, 1, 1, "0", List.of())));
  }

  @Override
  public Backend open(OpenOptions options) {
    Map<String, String> settings = Map.of("opencl.memory", System.getProperty(MEMORY, "1"));
    return new OpenClBackendProvider().open(options.withSettings(settings));
  }
}
