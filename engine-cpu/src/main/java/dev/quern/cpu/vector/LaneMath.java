package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Pieces of the kernels over interleaved weights. Small, so that C2 inlines them. */
final class LaneMath {
  /** Bytes of one word of each row of a group. */
  static final long LINE = 4L * N;

  /** The bits of a float32 that an f16 moved to its place fills. */
  static final int HALF = 0x8FFFE000;

  /** What an f16 lacks whose bits are read as float32. */
  static final float HALF_BIAS = 0x1p112f;

  private LaneMath() {}

  /** One word of each row. */
  static IntVector words(MemorySegment w, long at) {
    return IntVector.fromMemorySegment(I, w, at, Lanes.LE);
  }

  /** The f16 in the upper half of each lane. */
  static FloatVector highHalf(IntVector words) {
    return words.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().mul(HALF_BIAS);
  }

  /** The f16 of block {@code block}, from the head of a group. */
  static FloatVector scale(MemorySegment w, long group, int block) {
    IntVector both = words(w, group + LINE * (block >> 1));
    return highHalf(both.lanewise(LSHL, 16 & ~(block << 4)));
  }

  /**
   * Adds the products of some blocks, each times the f16 of the block and its activations' d.
   *
   * @param w the weights
   * @param head where the f16 of the first two blocks lie
   * @param count how many blocks
   * @param parts their products
   * @param numbers the activations' numbers
   * @param number where those of the first block lie
   * @param sums receives the sums
   */
  static void add(
      MemorySegment w,
      long head,
      int count,
      int[] parts,
      float[] numbers,
      int number,
      float[] sums) {
    FloatVector sum = FloatVector.fromArray(Lanes.F, sums, 0);
    for (int b = 0; b < count; b++) {
      IntVector d = IntVector.fromMemorySegment(I, w, head + LINE * (b >> 1), Lanes.LE);
      d = d.lanewise(LSHL, 16 & ~(b << 4)).lanewise(ASHR, 3).and(HALF);
      FloatVector scale = d.reinterpretAsFloats().mul(HALF_BIAS).mul(numbers[number + 2 * b]);
      IntVector part = IntVector.fromArray(I, parts, b * N);
      sum = ((FloatVector) part.convertShape(I2F, Lanes.F, 0)).fma(scale, sum);
    }
    sum.intoArray(sums, 0);
  }

  /** {@code (q & 15) · scale + offset} of each byte q, a column each. */
  static void nibbles(
      IntVector word,
      FloatVector scale,
      FloatVector offset,
      MemorySegment tile,
      long to,
      long stride) {
    for (int b = 0; b < 4; b++) {
      IntVector q = word.lanewise(LSHR, 8 * b).and(15);
      Lanes.store(Lanes.toFloat(q).fma(scale, offset), tile, to + b * stride);
    }
  }
}
