package dev.quern.transformer;

import dev.quern.core.Precision;
import java.util.Map;

/** The reference rounds nothing in {@code FAST}, but keys and values are kept in F16. */
class ReferenceGoldenTest extends GoldenSuite {
  ReferenceGoldenTest() {
    super("reference", Map.of(), Precision.EXACT, Precision.FAST);
  }
}
