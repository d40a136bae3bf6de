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
      for (int part = 0; part < block; part += form.part()) {
        sum += part(form, rounded, from + part, to + part, side);
      }
      int number = 2 * (to / block);
      side.numbers[number] = max / 127;
      side.numbers[number + 1] = -max / 127 * sum;
    }
  }

  /** Pairs the numbers of a part; returns their sum. */
  private static int part(Side.Form form, int[] rounded, int from, int to, Side side) {
    int low = 0;
    int high = 0;
    int[] pairs = side.pairs;
    for (int i = 0; i < form.part(); i += 4) {
      int a = rounded[from + i];
      int b = rounded[from + i + 1];
      int c = rounded[from + i + 2];
      int d = rounded[from + i + 3];
      pairs[(to + i) / 2] = pair(a, c);
      pairs[(to + i) / 2 + 1] = pair(b, d);
      low += a + b;
      high += c + d;
    }
    side.starts[to / form.part()] = pair(-form.offset() * low, -form.offset() * high);
    return low + high;
  }

  private static int pair(int low, int high) {
    return (low & 0xFFFF) | (high << 16);
  }
}
