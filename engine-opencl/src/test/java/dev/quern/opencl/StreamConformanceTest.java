package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.testkit.BackendConformance;
import java.util.Map;

/** The conformance suite, as a stream of launches. */
class StreamConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    Requirements.device();
    return new OpenClBackendProvider()
        .open(OpenOptions.defaults().withSettings(Map.of("opencl.strategy", "stream")));
  }
}
