package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Makes {@link Side}s. */
public final class SideMath {
  /** Adding it rounds to an integer, ties to even, which then stands in the low bits. */
  private static final float ROUND = 12582912f;

  private static final int ROUND_BITS = 0x4B400000;

  /** {@code 2^112}: what an f16 whose bits are read as float32 lacks. */
  private static final float HALF_BIAS = 0x1p112f;

  /** Where an activation goes in its block, by form. */
  private static final int[] Q4_K = new int[256];

  private static final int[] Q6_K = new int[256];
  private static final int[] TERNARY = new int[256];

  static {
    for (int i = 0; i < 256; i++) {
      // A vector of 32 shorts holds 64 bytes of weights; planes are its even bytes, then its odd
      // ones, each nibble by nibble or pair by pair of bits.
      int l = i % 32;
      int lane = l / 2;
      int odd = l % 2;
      Q4_K[i] = 128 * (i / 128) + 64 * odd + 32 * (i / 32 % 2) + 16 * (i / 64 % 2) + lane;
      Q6_K[i] = 128 * (i / 128) + 64 * (i / 64 % 2) + 32 * odd + 16 * (i / 32 % 2) + lane;
      TERNARY[i] = 32 * (4 * odd + i / 32 % 4) + 16 * (i / 128) + lane;
    }
  }

  private SideMath() {}

  /**
   * Fills the part of one vector.
   *
   * @param form what is wanted
   * @param x the activations, whole blocks of 256
   * @param xAt where they start
   * @param n how many
   * @param vector number of the vector in {@code side}
   * @param side receives it
   */
  public static void fill(Side.Form form, MemorySegment x, long xAt, int n, int vector, Side side) {
    int q = vector * form.quantised(n);
    int f = vector * form.numbers(n);
    if (form == Side.Form.Q4_0) {
      for (int block = 0; block < n / 32; block++) {
        q4(x, xAt, block, side, q, f);
      }
      return;
    }
    for (int block = 0; block < n / 256; block++) {
      long at = xAt + 1024L * block;
      switch (form) {
        case NONE, Q4_0 -> {}
        case SUMS -> sums(x, at, side.numbers, f + 16 * block);
        case Q4_K -> q4k(x, at, side, q + 256 * block, f + 16 * block);
        case Q6_K -> q6k(x, at, side, q + 256 * block, f + 32 * block);
        case TERNARY -> ternary(x, at, side, q + 256 * block, f + 2 * block);
      }
    }
  }

  private static void sums(MemorySegment x, long at, float[] numbers, int to) {
    for (int j = 0; j < 8; j++) {
      double sum = 0;
      for (int i = 0; i < 32; i++) {
        sum += x.get(RowMath.F32, at + 4L * (32 * j + i));
      }
      numbers[to + j] = 0;
      numbers[to + 8 + j] = (float) -sum;
    }
  }

  private static void q4k(MemorySegment x, long at, Side side, int q, int f) {
    for (int j = 0; j < 8; j++) {
      float max = largest(x, at + 128L * j, 32);
      int sum = quantise(x, at, 32 * j, 32, inverse(max), Q4_K, side.quantised, q);
      side.numbers[f + j] = max / 127;
      side.numbers[f + 8 + j] = -max / 127 * sum;
    }
  }

  private static void q6k(MemorySegment x, long at, Side side, int q, int f) {
    for (int j = 0; j < 16; j++) {
      float max = largest(x, at + 128L * (j / 2), 32);
      int sum = quantise(x, at, 16 * j, 16, inverse(max), Q6_K, side.quantised, q);
      side.numbers[f + j] = max / 127;
      side.numbers[f + 16 + j] = -32 * sum;
    }
  }

  private static void ternary(MemorySegment x, long at, Side side, int q, int f) {
    float max = largest(x, at, 256);
    int sum = quantise(x, at, 0, 256, inverse(max), TERNARY, side.quantised, q);
    side.numbers[f] = max / 127;
    side.numbers[f + 1] = -max / 127 * sum;
  }

  /**
   * One block of 32: its 18 bytes of weights are nine of 32 shorts, the first of them its scale.
   */
  private static void q4(MemorySegment x, long xAt, int block, Side side, int q, int f) {
    int vector = block / 3;
    int start = 9 * (block % 3);
    long at = xAt + 128L * block;
    float max = largest(x, at, 32);
    float inverse = inverse(max);
    int sum = 0;
    for (int i = 0; i < 32; i++) {
      int value = round(x.get(RowMath.F32, at + 4L * i) * inverse);
      int plane = 2 * (i % 2) + i / 16;
      side.quantised[q + 128 * vector + 32 * plane + start + 1 + i % 16 / 2] = (short) value;
      sum += value;
    }
    for (int lane = (start + 1) / 2; lane <= (start + 8) / 2; lane++) {
      side.numbers[f + 32 * vector + lane] = max / 127 * HALF_BIAS;
      side.numbers[f + 32 * vector + 16 + lane] = 0;
    }
    side.numbers[f + 32 * vector + 16 + start / 2 + 2] = -8 * sum;
  }

  private static int round(float value) {
    return Float.floatToRawIntBits(value + ROUND) - ROUND_BITS;
  }

  private static float inverse(float max) {
    return max == 0 ? 0 : 127 / max;
  }

  private static float largest(MemorySegment x, long at, int count) {
    float max = 0;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, Math.abs(x.get(RowMath.F32, at + 4L * i)));
    }
    return max;
  }

  /** Rounds {@code count} activations from {@code first} on; returns their sum. */
  private static int quantise(
      MemorySegment x,
      long at,
      int first,
      int count,
      float inverse,
      int[] places,
      short[] target,
      int to) {
    int sum = 0;
    for (int i = first; i < first + count; i++) {
      int value = round(x.get(RowMath.F32, at + 4L * i) * inverse);
      target[to + places[i]] = (short) value;
      sum += value;
    }
    return sum;
  }
}
