package dev.quern.cpu;

import dev.quern.core.event.FallbackEvent;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.ScalarKernels;
import dev.quern.cpu.vector.VectorKernels;

/** Chooses the kernels that this JVM can run, and says what keeps it from better ones. */
final class KernelSets {
  private static final System.Logger LOG = System.getLogger(KernelSets.class.getName());

  private KernelSets() {}

  /** Vector kernels if the module is there, else scalar ones. */
  static Kernels best() {
    // The module is incubating, so it is there only if the command line asks for it. The class that
    // names its types must not be loaded without it.
    boolean vector = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return vector ? new VectorKernels() : new ScalarKernels();
  }

  /** As {@link #best}, with the advice. */
  static Kernels open() {
    Kernels kernels = best();
    if (kernels instanceof ScalarKernels) {
      FallbackEvent.record(
          "vector kernels", "scalar kernels", "module jdk.incubator.vector is missing");
      LOG.log(
          System.Logger.Level.WARNING,
          "cpu: kernels run scalar, many times slower, because the module jdk.incubator.vector is"
              + " missing; start java with --add-modules jdk.incubator.vector");
    }
    return kernels;
  }
}
