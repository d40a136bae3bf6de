package dev.quern.cpu;

import dev.quern.core.Backend;
import dev.quern.cpu.kernel.ScalarKernels;
import dev.quern.testkit.BackendConformance;

/** The fallback for a JVM without the Vector API. */
class ScalarConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    return new CpuBackend(new ScalarKernels(), 2);
  }
}
