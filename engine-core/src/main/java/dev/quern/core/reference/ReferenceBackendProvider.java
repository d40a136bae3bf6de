package dev.quern.core.reference;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.HostMemory;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import java.util.List;

/** The provider {@code reference}: always usable, slow, exact. */
public final class ReferenceBackendProvider implements BackendProvider {
  /** The provider's name. */
  public static final String NAME = "reference";

  /** Called by the service loader. */
  public ReferenceBackendProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe() {
    return new Probe.Usable(Probe.REFERENCE, List.of(device()));
  }

  @Override
  public Backend open(OpenOptions options) {
    if (!options.device().isEmpty()) {
      throw new BackendException(
          "reference: it has one device, so no device must be named but %s is"
              .formatted(options.device()));
    }
    return new ReferenceBackend(device());
  }

  private static Device device() {
    return new Device(
        NAME,
        "scalar Java, double sums",
        System.getProperty("java.vendor"),
        Device.Kind.CPU,
        HostMemory.bytes(),
        Long.MAX_VALUE,
        1,
        "Java " + Runtime.version(),
        List.of("oracle"));
  }
}
