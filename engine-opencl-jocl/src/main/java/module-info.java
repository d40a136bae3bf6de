/** The OpenCL backend over another binding: JOCL, which is JNI. */
module dev.quern.opencl.jocl {
  requires transitive dev.quern.core;
  requires transitive dev.quern.opencl;
  requires jocl;
  requires static transitive org.jspecify;

  exports dev.quern.opencl.jocl;

  provides dev.quern.core.BackendProvider with
      dev.quern.opencl.jocl.JoclBackendProvider;
}
