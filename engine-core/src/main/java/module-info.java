/** Operations, weight formats, batches and the reference backend. */
module dev.quern.core {
  requires static transitive org.jspecify;

  exports dev.quern.core;
}
