/** Uses Quern as a library. */
module dev.quern.samples.app {
  requires dev.quern.fable;
  requires dev.quern.transformer;
}
