package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import java.util.List;

/** Looks better than any other and cannot be opened: {@code auto} must go on without it. */
public final class BrokenProvider implements BackendProvider {
  /** For {@link java.util.ServiceLoader}. */
  public BrokenProvider() {}

  @Override
  public String name() {
    return "broken";
  }

  @Override
  public Probe probe() {
    return new Probe.Usable(
        2 * Probe.GPU,
        List.of(new Device("broken", "none", "tests", Device.Kind.OTHER, 1, 1, 1, "0", List.of())));
  }

  @Override
  public Backend open(OpenOptions options) {
    throw new BackendException("broken: must work but does not");
  }
}
