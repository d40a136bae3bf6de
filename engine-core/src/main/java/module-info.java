/**
 * The backend SPI: operations as data, weight formats with their defining decoders, batch planning,
 * and the reference backend.
 */
module dev.quern.core {
  requires transitive jdk.jfr;
  requires java.management;
  requires jdk.management;
  requires static transitive org.jspecify;

  exports dev.quern.core;
  exports dev.quern.core.event;
  exports dev.quern.core.format;
  exports dev.quern.core.hybrid;
  exports dev.quern.core.op;
  exports dev.quern.core.plan;
  exports dev.quern.core.reference;

  uses dev.quern.core.BackendProvider;

  provides dev.quern.core.BackendProvider with
      dev.quern.core.reference.ReferenceBackendProvider;
}
