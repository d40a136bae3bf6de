package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Q4_0 weights times int8 activations. 64 bytes hold three whole blocks of 18, scales and all, as
 * 32 shorts: activations lie where the nibbles are, zeros where the scales and the next block are,
 * and the scales are spread from the same vector. A row whose last 64 bytes would pass the end of
 * the matrix takes the kernel with float32 activations.
 */
final class Q4Int8Dot implements Dot {
  /** For each sum of two shorts, the scale of its block in the upper short. */
  private static final VectorShuffle<Short> SCALES =
      VectorShuffle.fromOp(SHORTS, i -> Math.min(i / 2 * 2 / 9, 2) * 9 % SHORTS.length());

  @Override
  public Side.Form form() {
    return Side.Form.Q4_0;
  }

  @Override
  public void run(Job job) {
    long end = job.w.byteSize() - 54L * (Side.Form.vectors(job.k) - 1) - 64;
    for (int n = 0; n < job.rows; n++) {
      long at = job.wAt + n * job.rowBytes;
      float sum = at <= end ? row(job, at) : Q4Dot.row(job, at);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector sum = zero();
    int vectors = (int) Side.Form.vectors(job.k);
    short[] x = job.side.quantised;
    float[] numbers = job.side.numbers;
    int place = job.quantisedAt;
    int at = job.numbersAt;
    for (int v = 0; v < vectors; v++) {
      ShortVector q = Lanes.shorts(job.w, wAt + 54L * v);
      FloatVector scale = half(q.rearrange(SCALES));
      sum = products(q, x, place, numbers, at + 16).fma(scale.mul(numbers(numbers, at)), sum);
      place += 128;
      at += 32;
    }
    return Lanes.sum(sum);
  }

  /** Sums of eight products each, with the offset. */
  private static FloatVector products(
      ShortVector q, short[] x, int place, float[] numbers, int at) {
    ShortVector sum = ShortVector.zero(SHORTS);
    for (int shift = 0; shift < 16; shift += 4) {
      ShortVector part = q.lanewise(VectorOperators.LSHR, shift).and((short) 15);
      sum = sum.add(part.mul(ShortVector.fromArray(SHORTS, x, place + 8 * shift)));
    }
    return Lanes.pairSums(sum).add(numbers(numbers, at));
  }

  private static FloatVector numbers(float[] numbers, int at) {
    return FloatVector.fromArray(F, numbers, at);
  }

  /** F16 in the upper half of each lane, times {@code 2^-112}. */
  private static FloatVector half(ShortVector upper) {
    IntVector ints = upper.reinterpretAsInts();
    return ints.lanewise(VectorOperators.ASHR, 3).and(0x8FFFE000).reinterpretAsFloats();
  }
}
