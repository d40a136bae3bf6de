package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static dev.quern.cpu.vector.Lanes.pairSums;
import static dev.quern.cpu.vector.Lanes.shorts;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Q4_K weights times int8 activations. 64 bytes of nibbles are 32 shorts of four nibbles; a nibble
 * times an int8 fits a short, as do four such products.
 */
final class Q4kInt8Dot implements Dot {
  private static final VectorMask<Float> MINIMA = F.indexInRange(0, 8).not();

  /** Which parts of a block each half of its nibbles' vectors belongs to. */
  @SuppressWarnings({"unchecked", "rawtypes"})
  private static final VectorShuffle<Float>[] PARTS =
      new VectorShuffle[] {parts(0), parts(1), parts(4), parts(5)};

  @Override
  public Side.Form form() {
    return Side.Form.Q4_K;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n++) {
      float sum = row(job, job.wAt + n * job.rowBytes);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector sum = zero();
    FloatVector rest = zero();
    ShortVector nibble = ShortVector.broadcast(SHORTS, (short) 15);
    float[] factors = job.factors;
    short[] x = job.side.quantised;
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 144L * block;
      KBlock.factors(job.w, at, factors);
      FloatVector numbers = FloatVector.fromArray(F, job.side.numbers, job.numbersAt + 16 * block);
      FloatVector scales = FloatVector.fromArray(F, factors, 0).mul(numbers);
      rest = rest.add(scales, MINIMA);
      for (int h = 0; h < 2; h++) {
        ShortVector q = shorts(job.w, at + 16 + 64L * h);
        for (int p = 0; p < 2; p++) {
          int place = job.quantisedAt + 256 * block + 128 * h + 32 * p;
          int shift = 4 * p;
          ShortVector even = q.lanewise(VectorOperators.LSHR, shift).and(nibble);
          ShortVector odd = q.lanewise(VectorOperators.LSHR, shift + 8).and(nibble);
          even = even.mul(ShortVector.fromArray(SHORTS, x, place));
          odd = odd.mul(ShortVector.fromArray(SHORTS, x, place + 64));
          FloatVector scale = scales.rearrange(PARTS[2 * h + p]);
          sum = pairSums(even.add(odd)).fma(scale, sum);
        }
      }
    }
    return Lanes.sum(sum.add(rest));
  }

  /** {@code first} for the lower lanes, two parts further for the upper ones. */
  private static VectorShuffle<Float> parts(int first) {
    return VectorShuffle.fromOp(F, i -> (i < 8 ? first : first + 2) % F.length());
  }
}
