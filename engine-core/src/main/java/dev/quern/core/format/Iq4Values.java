package dev.quern.core.format;

/** The sixteen values that a 4-bit code of IQ4_NL and IQ4_XS selects. */
final class Iq4Values {
  private static final byte[] VALUES = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private Iq4Values() {}

  /** The value of the low nibble of a byte. */
  static int low(int codes) {
    return VALUES[codes & 15];
  }

  /** The value of the high nibble of a byte. */
  static int high(int codes) {
    return VALUES[(codes >> 4) & 15];
  }
}
