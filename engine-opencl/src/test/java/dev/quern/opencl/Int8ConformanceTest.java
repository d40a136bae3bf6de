package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.testkit.BackendConformance;
import java.util.List;
import java.util.Map;

/** The conformance suite: products of int8, in work-groups with teams of 32. */
class Int8ConformanceTest extends BackendConformance {
  @Override
  protected Backend open() {
    Requirements.device();
    return new OpenClBackendProvider()
        .open(
            OpenOptions.defaults()
                .withSettings(Map.of("opencl.kernels", "int8", "opencl.group-size", "64")));
  }

  @Override
  protected List<Precision> precisions() {
    return List.of(Precision.FAST);
  }
}
