package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

class CpuGoldenTest extends GoldenSuite {
  CpuGoldenTest() {
    super("cpu", Map.of(), Precision.EXACT, Precision.FAST);
  }
}
