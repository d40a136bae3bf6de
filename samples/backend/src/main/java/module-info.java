/** A backend in one module: it sees nothing but the exported packages of the core. */
module dev.quern.samples.backend {
  requires dev.quern.core;

  provides dev.quern.core.BackendProvider with
      dev.quern.samples.backend.SampleProvider;
}
