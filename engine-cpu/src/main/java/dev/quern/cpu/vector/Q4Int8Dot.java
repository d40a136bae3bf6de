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
 * 32 shorts: activations lie where the nibbles are, zeros where the scales are, and the scales are
 * spread from the same vector. The last 64 bytes end with the row, and what they repeat meets
 * zeros. Rows have at least four blocks.
 */
final class Q4Int8Dot implements Dot {
  /** For each sum of two shorts, the scale of its block in the upper short. */
  private static final VectorShuffle<Short> SCALES = scales(0);

  private static final VectorShuffle<Short> LAST_SCALES = scales(5);

  private final Dot shortRows = new Q4Dot();

  @Override
  public Side.Form form() {
    return Side.Form.Q4_0;
  }

  @Override
  public void run(Job job) {
    if (job.rowBytes < 64) {
      shortRows.run(job);
      return;
    }
    for (int n = 0; n < job.rows; n++) {
      float sum = row(job, job.wAt + n * job.rowBytes);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector sum = zero();
    int last = (int) Side.Form.vectors(job.k) - 1;
    short[] x = job.side.quantised;
    float[] numbers = job.side.numbers;
    int place = job.quantisedAt;
    int at = job.numbersAt;
    for (int v = 0; v < last; v++) {
      ShortVector q = Lanes.shorts(job.w, wAt + 54L * v);
      FloatVector scale = half(q.rearrange(SCALES));
      sum = products(q, x, place, numbers, at + 16).fma(scale.mul(numbers(numbers, at)), sum);
      place += 128;
      at += 32;
    }
    return Lanes.sum(last(job, wAt, sum, place, at));
  }

  private static FloatVector last(Job job, long wAt, FloatVector sum, int place, int at) {
    float[] numbers = job.side.numbers;
    ShortVector q = Lanes.shorts(job.w, wAt + job.rowBytes - 64);
    FloatVector scale = half(q.rearrange(LAST_SCALES)).mul(numbers(numbers, at));
    return products(q, job.side.quantised, place, numbers, at + 16).fma(scale, sum);
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

  /** {@code first}: the lane of the scale of the first block; the others follow at 9 lanes each. */
  private static VectorShuffle<Short> scales(int first) {
    return VectorShuffle.fromOp(
        SHORTS,
        i -> {
          int block = Math.clamp((i / 2 * 2 - first) / 9, 0, 2);
          return (first + 9 * block) % SHORTS.length();
        });
  }
}
