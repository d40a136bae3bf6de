package dev.quern.opencl.jocl;

import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.testkit.BackendConformance;
import java.util.Map;

/** The conformance suite through JOCL, as a stream of launches. */
class JoclStreamConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    Requirements.device();
    return new JoclBackendProvider()
        .open(OpenOptions.defaults().withSettings(Map.of("opencl.strategy", "stream")));
  }
}
