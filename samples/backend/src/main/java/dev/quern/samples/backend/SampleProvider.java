package dev.quern.samples.backend;

import dev.quern.core.Backend;
import dev.quern.core.BackendProvider;
import dev.quern.core.Device;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import java.util.List;

/** Opens the backend {@code sample}. */
public final class SampleProvider implements BackendProvider {
  static final String NAME = "sample";

  /** For ServiceLoader. */
  public SampleProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe() {
    return new Probe.Usable(Probe.BY_NAME_ONLY, List.of(device()));
  }

  @Override
  public Backend open(OpenOptions options) {
    return new SampleBackend(device());
  }

  private static Device device() {
    long memory = Runtime.getRuntime().maxMemory();
    return new Device(
        NAME,
        "this JVM",
        "sample",
        Device.Kind.CPU,
        memory,
        memory,
        1,
        System.getProperty("java.version"),
        List.of());
  }
}
