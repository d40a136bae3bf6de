package dev.quern.cpu;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.testkit.BackendConformance;

/** Whatever kernels this JVM offers: the build runs this at each width and without vectors. */
class CpuConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    return Backends.open("cpu");
  }
}
