/** OpenCL C sources of the engine. */
module dev.quern.kernels.cl {
  requires static transitive org.jspecify;

  exports dev.quern.kernels.cl;
}
