package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Pieces of the kernels over interleaved weights. */
final class LaneMath {
  /** Rows of a group. */
  static final int ROWS = 2 * N;

  /** Bytes of a line: a short of each row of a group. */
  static final long LINE = 2L * ROWS;

  /** The bits of a float32 that an f16 moved to its place fills. */
  static final int HALF = 0x8FFFE000;

  /** What an f16 lacks whose bits are read as float32. */
  static final float HALF_BIAS = 0x1p112f;

  private LaneMath() {}

  /**
   * Products of lines of shorts that hold four numbers: {@code products[p]} of the lines {@code 2p}
   * and {@code 2p + 1}. Two lines, because C2 leaves bounds checks in the loop of a larger body,
   * and a smaller one stores more: 24 GB/s of weights a core of 3 GHz with 256 bits, 13 with four
   * lines, 20 with one.
   *
   * @param w the weights
   * @param place where the first line lies
   * @param shift distance of the numbers in a short
   * @param last distance of the last number from the one before
   * @param x factors
   * @param first number of the first of them
   * @param count how many pairs of lines
   * @param products receives them
   */
  static void products(
      MemorySegment w,
      long place,
      int shift,
      int last,
      short[] x,
      int first,
      int count,
      short[] products) {
    for (int p = 0; p < count; p++) {
      long at = place + p * (2 * LINE);
      int i = first + 8 * p;
      ShortVector q = ShortVector.fromMemorySegment(SHORTS, w, at, LE);
      ShortVector sum = q.mul(ShortVector.broadcast(SHORTS, x[i]));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 1])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 2])));
      q = q.lanewise(LSHR, last);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 3])));
      q = ShortVector.fromMemorySegment(SHORTS, w, at + LINE, LE);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 4])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 5])));
      q = q.lanewise(LSHR, shift);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 6])));
      q = q.lanewise(LSHR, last);
      sum = sum.add(q.mul(ShortVector.broadcast(SHORTS, x[i + 7])));
      sum.intoArray(products, p * ROWS);
    }
  }

  /** One line. */
  static IntVector line(MemorySegment w, long at) {
    return IntVector.fromMemorySegment(I, w, at, LE);
  }

  /** The f16 in the upper half of each lane. */
  static FloatVector highHalf(IntVector line) {
    return line.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
  }

  /** The f16 in the lower half of each lane. */
  static FloatVector lowHalf(IntVector line) {
    return highHalf(line.lanewise(LSHL, 16));
  }
}
