package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.SHORTS;
import static dev.quern.cpu.vector.Lanes.pairSums;
import static dev.quern.cpu.vector.Lanes.shorts;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Q6_K weights times int8 activations. A 6-bit number times an int8 fits a short, as do four such
 * products; the offset of 32 is taken off through the sums of the activations.
 */
final class Q6kInt8Dot implements Dot {
  @SuppressWarnings({"unchecked", "rawtypes"})
  private static final VectorShuffle<Float>[] PARTS =
      new VectorShuffle[] {parts(0), parts(4), parts(8), parts(12)};

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static final VectorShuffle<Short>[] HALVES = new VectorShuffle[] {half(0), half(1)};

  private static final ShortVector SHIFTS = shifts();

  @Override
  public Side.Form form() {
    return Side.Form.Q6_K;
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
    short[] x = job.side.quantised;
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 210L * block;
      int numbers = job.numbersAt + 32 * block;
      FloatVector scales =
          factors(job.w, at).mul(FloatVector.fromArray(F, job.side.numbers, numbers));
      rest = scales.fma(FloatVector.fromArray(F, job.side.numbers, numbers + 16), rest);
      ShortVector upper = shorts(job.w, at + 128);
      for (int h = 0; h < 2; h++) {
        ShortVector low = shorts(job.w, at + 64L * h);
        ShortVector high = upper.rearrange(HALVES[h]).lanewise(VectorOperators.LSHR, SHIFTS);
        for (int p = 0; p < 2; p++) {
          int place = job.quantisedAt + 256 * block + 128 * h + 64 * p;
          ShortVector q = six(low, high, 4 * p);
          ShortVector even = q.and((short) 255).mul(ShortVector.fromArray(SHORTS, x, place));
          ShortVector odd = q.lanewise(VectorOperators.LSHR, 8);
          odd = odd.mul(ShortVector.fromArray(SHORTS, x, place + 32));
          FloatVector scale = scales.rearrange(PARTS[2 * h + p]);
          sum = pairSums(even.add(odd)).fma(scale, sum);
        }
      }
    }
    return Lanes.sum(sum.add(rest));
  }

  /** Two 6-bit numbers a short: four bits from {@code low}, two from {@code high}. */
  private static ShortVector six(ShortVector low, ShortVector high, int shift) {
    ShortVector bits = high.lanewise(VectorOperators.LSHR, shift).and((short) 0x0303);
    return low.lanewise(VectorOperators.LSHR, shift)
        .and((short) 0x0F0F)
        .or(bits.lanewise(VectorOperators.LSHL, 4));
  }

  /** {@code d · scⱼ}. */
  private static FloatVector factors(MemorySegment w, long at) {
    return Lanes.toFloat(Lanes.s8(w, at + 192)).mul(splat(Lanes.half(w, at + 208)));
  }

  /** Each of four scales for a quarter of the lanes. */
  private static VectorShuffle<Float> parts(int first) {
    return VectorShuffle.fromOp(F, i -> (first + i / 4) % F.length());
  }

  /** The upper bits of a half, twice. */
  private static VectorShuffle<Short> half(int h) {
    return VectorShuffle.fromOp(SHORTS, i -> (16 * h + i % 16) % SHORTS.length());
  }

  /** Elements 32 to 63 and 96 to 127 of a half have their bits two further up. */
  private static ShortVector shifts() {
    short[] shifts = new short[SHORTS.length()];
    for (int i = 16; i < shifts.length; i++) {
      shifts[i] = 2;
    }
    return ShortVector.fromArray(SHORTS, shifts, 0);
  }
}
