package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

class OpenClStreamGoldenTest extends GoldenSuite {
  OpenClStreamGoldenTest() {
    super("opencl", Map.of("opencl.strategy", "stream"), Precision.EXACT, Precision.FAST);
  }
}
