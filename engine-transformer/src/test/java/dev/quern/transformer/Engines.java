package dev.quern.transformer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Probe;

/** Backends by name; a test is skipped where one is not usable. */
final class Engines {
  private Engines() {}

  static Backend open(String name) {
    Probe probe =
        Backends.list().stream()
            .filter(found -> found.provider().name().equals(name))
            .map(Backends.Found::probe)
            .findFirst()
            .orElseThrow();
    boolean required = Boolean.getBoolean("quern.require." + name);
    assumeTrue(required || probe instanceof Probe.Usable, probe::toString);
    return Backends.open(name);
  }
}
