package dev.quern.transformer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.OpenOptions;
import dev.quern.core.Probe;
import dev.quern.core.hybrid.HybridBackend;
import dev.quern.core.hybrid.Placement;

/** Backends by name; a test is skipped where one is not usable. */
final class Engines {
  private Engines() {}

  /** A backend by name; {@code hybrid} has its first layer on one backend, the rest on another. */
  static Backend open(String name) {
    return name.equals("hybrid")
        ? new HybridBackend(Backends.open("reference"), Backends.open("cpu"), Placement.layers(1))
        : open(name, OpenOptions.defaults());
  }

  static Backend open(String name, OpenOptions options) {
    String provider = name.replaceFirst("[+:].*", "");
    Probe probe =
        Backends.list().stream()
            .filter(found -> found.provider().name().equals(provider))
            .map(Backends.Found::probe)
            .findFirst()
            .orElseThrow();
    boolean required = Boolean.getBoolean("quern.require." + provider);
    assumeTrue(required || probe instanceof Probe.Usable, probe::toString);
    return Backends.open(name, options);
  }
}
