package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

/** Its batches take seconds each to compile on a CPU device, so fewer are compiled. */
class OpenClPersistentGoldenTest extends GoldenSuite {
  OpenClPersistentGoldenTest() {
    super("opencl", Map.of("opencl.strategy", "persistent"), Precision.EXACT);
  }

  @Override
  boolean chunks() {
    return false;
  }
}
