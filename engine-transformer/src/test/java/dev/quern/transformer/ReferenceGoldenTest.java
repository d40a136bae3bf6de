package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

/** The reference computes the same in both precisions. */
class ReferenceGoldenTest extends GoldenSuite {
  ReferenceGoldenTest() {
    super("reference", Map.of(), Precision.EXACT);
  }
}
