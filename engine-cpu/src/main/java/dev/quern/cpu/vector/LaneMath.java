package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.cpu.kernel.Dot.Job;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Pieces of the kernels over interleaved weights. */
final class LaneMath {
  /** Rows of a group. */
  static final int ROWS = 2 * N;

  /** Groups that a kernel takes at once. */
  static final int GROUPS = 4;

  /** Shorts from a product of a line to that of the next one, for all groups. */
  static final int STEP = GROUPS * ROWS;

  /** Bytes of a line: a short of each row of a group. */
  static final long LINE = 2L * ROWS;

  /** The bits of a float32 that an f16 moved to its place fills. */
  static final int HALF = 0x8FFFE000;

  /** What an f16 lacks whose bits are read as float32. */
  static final float HALF_BIAS = 0x1p112f;

  /**
   * Whether counts in a vector shift shorts in one instruction, which there is for 512 bits; one
   * count for all lanes takes two there. C2 would widen narrower vectors.
   */
  static final boolean WIDE = N == 16;

  private LaneMath() {}

  /**
   * Products of lines of shorts that hold four numbers: {@code products[GROUPS · p + i]} of line
   * {@code p} of group {@code i}. One line of each group in a round: of a larger body, and with a
   * second shift count, C2 keeps values and counts on the stack, half as fast. All is written out:
   * past some 45 operations C2 puts methods in place that are marked so in the JDK, but none of
   * ours.
   *
   * @param job with the weights, the factors and room for the products
   * @param a where the first group's first line lies; {@code b} to {@code d} likewise
   * @param first number of the first factor
   * @param lines how many lines
   */
  static void products(Job job, long a, long b, long c, long d, int first, int lines) {
    MemorySegment w = Lanes.offHeap(job.w);
    int[] factors = job.side.factors;
    short[] products = job.products;
    int shift = job.side.shift;
    ShortVector counts = ShortVector.broadcast(SHORTS, shift);
    for (int p = 0; p < lines; p++) {
      long line = p * LINE;
      int i = first + 4 * p;
      ShortVector qa = ShortVector.fromMemorySegment(SHORTS, w, a + line, LE);
      ShortVector qb = ShortVector.fromMemorySegment(SHORTS, w, b + line, LE);
      ShortVector qc = ShortVector.fromMemorySegment(SHORTS, w, c + line, LE);
      ShortVector qd = ShortVector.fromMemorySegment(SHORTS, w, d + line, LE);
      ShortVector x = IntVector.broadcast(I, factors[i]).reinterpretAsShorts();
      ShortVector sa = qa.mul(x);
      ShortVector sb = qb.mul(x);
      ShortVector sc = qc.mul(x);
      ShortVector sd = qd.mul(x);
      x = IntVector.broadcast(I, factors[i + 1]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      qc = WIDE ? qc.lanewise(LSHR, counts) : qc.lanewise(LSHR, shift);
      sc = sc.add(qc.mul(x));
      qd = WIDE ? qd.lanewise(LSHR, counts) : qd.lanewise(LSHR, shift);
      sd = sd.add(qd.mul(x));
      x = IntVector.broadcast(I, factors[i + 2]).reinterpretAsShorts();
      qa = WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift);
      sa = sa.add(qa.mul(x));
      qb = WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift);
      sb = sb.add(qb.mul(x));
      qc = WIDE ? qc.lanewise(LSHR, counts) : qc.lanewise(LSHR, shift);
      sc = sc.add(qc.mul(x));
      qd = WIDE ? qd.lanewise(LSHR, counts) : qd.lanewise(LSHR, shift);
      sd = sd.add(qd.mul(x));
      x = IntVector.broadcast(I, factors[i + 3]).reinterpretAsShorts();
      sa = sa.add((WIDE ? qa.lanewise(LSHR, counts) : qa.lanewise(LSHR, shift)).mul(x));
      sb = sb.add((WIDE ? qb.lanewise(LSHR, counts) : qb.lanewise(LSHR, shift)).mul(x));
      sc = sc.add((WIDE ? qc.lanewise(LSHR, counts) : qc.lanewise(LSHR, shift)).mul(x));
      sd = sd.add((WIDE ? qd.lanewise(LSHR, counts) : qd.lanewise(LSHR, shift)).mul(x));
      sa.intoArray(products, GROUPS * p * ROWS);
      sb.intoArray(products, (GROUPS * p + 1) * ROWS);
      sc.intoArray(products, (GROUPS * p + 2) * ROWS);
      sd.intoArray(products, (GROUPS * p + 3) * ROWS);
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
