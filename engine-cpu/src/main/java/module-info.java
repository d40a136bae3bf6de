/** The backend {@code cpu}: vector code on the host, with a scalar fallback. */
module dev.quern.cpu {
  requires transitive dev.quern.core;
  requires static transitive org.jspecify;
  requires static jdk.incubator.vector;

  exports dev.quern.cpu;

  provides dev.quern.core.BackendProvider with
      dev.quern.cpu.CpuBackendProvider;
}
