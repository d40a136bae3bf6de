package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Makes {@link Side}s. */
public final class SideMath {
  private SideMath() {}

  /**
   * Fills the part of one vector.
   *
   * @param math operations on rows
   * @param form what is wanted
   * @param x the activations, whole blocks
   * @param xAt where they start
   * @param n how many
   * @param vector number of the vector in {@code side}
   * @param side receives it
   */
  public static void fill(
      RowMath math, Side.Form form, MemorySegment x, long xAt, int n, int vector, Side side) {
    int block = form.block();
    int[] rounded = side.rounded;
    int from = vector * block;
    for (int i = 0; i < n; i += block) {
      float max = math.largest(x, xAt + 4L * i, block);
      math.round(x, xAt + 4L * i, max == 0 ? 0 : 127 / max, rounded, from, block);
      int to = vector * n + i;
      int sum = 0;
      for (int part = 0; part < block; part += 32) {
        sum += sum(rounded, from + part, 32);
        factors(form, rounded, from + part, to + part, side);
      }
      int number = 2 * (to / block);
      side.numbers[number] = max / 127;
      side.numbers[number + 1] = -max / 127 * sum;
    }
  }

  private static int sum(int[] rounded, int from, int count) {
    int sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += rounded[i];
    }
    return sum;
  }

  /** The factors and starts of 32 numbers, of which the first is number {@code to} of all. */
  private static void factors(Side.Form form, int[] rounded, int from, int to, Side side) {
    int at = form.factors(to);
    int start = form.starts(to);
    switch (form) {
      case NONE -> {}
      case BYTES -> bytes(rounded, from, side.factors, at);
      case NIBBLES -> {
        nibbles(rounded, from, side.factors, at);
        side.starts[start] = (short) (-8 * sum(rounded, from, 32));
      }
      case FIVES -> {
        fives(rounded, from, side.factors, at);
        fives(rounded, from + 16, side.factors, at + 20);
        side.starts[start] = (short) (-16 * sum(rounded, from, 12));
        side.starts[start + 1] = (short) (-16 * sum(rounded, from + 12, 13));
        side.starts[start + 2] = (short) (-16 * sum(rounded, from + 25, 7));
      }
      case SIXES -> {
        sixes(rounded, from, side, at, start);
        sixes(rounded, from + 16, side, at + 24, start + 3);
      }
      case TERNARY -> ternary(rounded, from, side.factors, at);
    }
  }

  private static void bytes(int[] q, int from, int[] factors, int at) {
    for (int i = 0; i < 32; i++) {
      factors[at + i] = twice(q[from + i]);
    }
  }

  private static void nibbles(int[] q, int from, int[] factors, int at) {
    for (int i = 0; i < 32; i += 4) {
      int j = from + i;
      four(q[j], q[j + 1], q[j + 2], q[j + 3], 4, 4, factors, at + i);
    }
  }

  private static void fives(int[] q, int from, int[] factors, int at) {
    for (int i = 0; i < 5; i++) {
      int j = from + 3 * i;
      four(q[j], q[j + 1], q[j + 2], q[from + 15] << i, 5, 5, factors, at + 4 * i);
    }
  }

  /** Those of sixteen: with 32 taken off, four shorts and the bits of two more fit a short. */
  private static void sixes(int[] q, int from, Side side, int at, int start) {
    for (int half = 0; half < 2; half++) {
      int first = from + 8 * half;
      for (int i = 0; i < 3; i++) {
        int j = first + 2 * i;
        int six = q[first + 6] << (2 * i);
        int seven = q[first + 7] << (2 * i);
        four(q[j], q[j + 1], six, seven, 6, 2, side.factors, at + 12 * half + 4 * i);
      }
    }
    side.starts[start] = (short) (-32 * sum(q, from, 4));
    side.starts[start + 1] = (short) (-32 * sum(q, from + 4, 6));
    side.starts[start + 2] = (short) (-32 * sum(q, from + 10, 6));
  }

  private static void ternary(int[] q, int from, int[] factors, int at) {
    for (int i = 0; i < 32; i++) {
      int before = i % 8 == 0 ? 0 : q[from + i - 1];
      factors[at + i] = twice(q[from + i] - 4 * before);
    }
  }

  /** The factors of a short of four numbers. */
  private static void four(int a, int b, int c, int d, int shift, int last, int[] factors, int at) {
    factors[at] = twice(a);
    factors[at + 1] = twice(b - (a << shift));
    factors[at + 2] = twice(c - (b << shift));
    factors[at + 3] = twice(d - (c << last));
  }

  /** The lower half of an int in both halves. */
  private static int twice(int value) {
    return (value << 16) | (value & 0xFFFF);
  }
}
