package dev.quern.cpu.vector;

import java.lang.foreign.MemorySegment;

/** The header of a block of Q4_K or Q5_K: two f16 and twelve bytes of 6-bit scales and minima. */
final class KBlock {
  private KBlock() {}

  /**
   * {@code d · scⱼ} of the eight parts, then {@code dmin · mⱼ}.
   *
   * @param w the weights
   * @param at where the block starts
   * @param factors receives sixteen numbers
   */
  static void factors(MemorySegment w, long at, float[] factors) {
    float d = Lanes.half(w, at);
    float dmin = Lanes.half(w, at + 2);
    int s = Lanes.int32(w, at + 4);
    int m = Lanes.int32(w, at + 8);
    int both = Lanes.int32(w, at + 12);
    spread(s & 0x3F3F3F3F, d, factors, 0);
    spread((both & 0x0F0F0F0F) | ((s >>> 2) & 0x30303030), d, factors, 4);
    spread(m & 0x3F3F3F3F, dmin, factors, 8);
    spread(((both >>> 4) & 0x0F0F0F0F) | ((m >>> 2) & 0x30303030), dmin, factors, 12);
  }

  private static void spread(int bytes, float scale, float[] factors, int at) {
    for (int i = 0; i < 4; i++) {
      factors[at + i] = scale * ((bytes >>> (8 * i)) & 255);
    }
  }
}
