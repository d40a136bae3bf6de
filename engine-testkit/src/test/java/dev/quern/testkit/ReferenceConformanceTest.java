package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.Backends;

/** The reference against itself: the suite can be passed. */
class ReferenceConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    return Backends.open("reference");
  }
}
