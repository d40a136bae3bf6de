package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

class OpenClPersistentGoldenTest extends GoldenSuite {
  OpenClPersistentGoldenTest() {
    super("opencl", Map.of("opencl.strategy", "persistent"), Precision.EXACT, Precision.FAST);
  }
}
