package dev.quern.cpu;

import dev.quern.core.Backend;
import dev.quern.testkit.BackendConformance;

/** More workers than most operations have units, and perhaps than there are processors. */
class ManyWorkersConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    return new CpuBackend(KernelSets.best(), 7);
  }
}
