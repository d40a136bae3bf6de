package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The twelve bytes in which Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima: bytes 0–3
 * hold the low scales, 4–7 the low minima, 8–11 the low nibbles of the high scales and minima,
 * whose upper two bits sit on top of bytes 0–7.
 */
final class KScales {
  private KScales() {}

  /** The scale of sub-block {@code j}, 0 to 63; {@code offset} is where the twelve bytes start. */
  static int scale(MemorySegment source, long offset, int j) {
    return j < 4
        ? at(source, offset + j) & 63
        : (at(source, offset + j + 4) & 15) | (at(source, offset + j - 4) >> 6) << 4;
  }

  /** The minimum of sub-block {@code j}, 0 to 63. */
  static int min(MemorySegment source, long offset, int j) {
    return j < 4
        ? at(source, offset + j + 4) & 63
        : (at(source, offset + j + 4) >> 4) | (at(source, offset + j) >> 6) << 4;
  }

  private static int at(MemorySegment source, long offset) {
    return source.get(ValueLayout.JAVA_BYTE, offset) & 255;
  }
}
