/** OpenCL backend: a small OpenCL interface, its FFM binding, and the engine on top of it. */
module dev.quern.opencl {
  requires transitive dev.quern.core;
  requires dev.quern.kernels.cl;
  requires static transitive org.jspecify;

  exports dev.quern.opencl;
  exports dev.quern.opencl.binding;

  provides dev.quern.core.BackendProvider with
      dev.quern.opencl.OpenClBackendProvider;
}
