/**
 * The conformance suite that every backend passes: a backend's test extends {@link
 * dev.quern.testkit.BackendConformance} and says how the backend is opened.
 */
@SuppressWarnings("opens") // JUnit looks into the package by reflection
open module dev.quern.testkit {
  requires static transitive org.jspecify;
  requires transitive dev.quern.core;
  requires transitive org.junit.jupiter.api;
  requires org.assertj.core;
  requires com.fasterxml.jackson.databind;

  exports dev.quern.testkit;
}
