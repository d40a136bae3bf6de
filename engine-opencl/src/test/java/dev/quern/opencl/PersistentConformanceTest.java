package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.testkit.BackendConformance;
import java.util.Map;

/** The conformance suite: one launch a batch. */
class PersistentConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    Requirements.device();
    return new OpenClBackendProvider()
        .open(OpenOptions.defaults().withSettings(Map.of("opencl.strategy", "persistent")));
  }
}
