/** Tiny trained models that tell fables. */
module dev.quern.fable {
  requires static transitive org.jspecify;

  exports dev.quern.fable;
}
