package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.toFloat;
import static dev.quern.cpu.vector.Lanes.u8;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q6_K weights: {@code Σ_blocks d · Σⱼ scⱼ · Σ (q − 32)·x}, sixteen elements a scale. */
final class Q6kDot implements Dot {
  @Override
  public Side.Form form() {
    return Side.Form.NONE;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n++) {
      float sum = row(job, job.wAt + n * job.rowBytes);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector even = zero();
    FloatVector odd = zero();
    float[] factors = job.factors;
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 210L * block;
      long xAt = job.xAt + 1024L * block;
      factors(job.w, at, factors);
      for (int part = 0; part < 4; part++) { // 32 bytes of ql: two to a half
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(job.w, at + 32L * part + l);
          IntVector bits = bits(job.w, at + 128 + 32L * (part / 2) + l, 2 * (part % 2));
          IntVector one = q.and(15).or(bits.and(3).lanewise(VectorOperators.LSHL, 4));
          IntVector two = q.lanewise(VectorOperators.LSHR, 4).or(bits.and(48));
          int j = 8 * (part / 2) + 2 * (part % 2) + l / 16;
          long place = xAt + 4L * (128 * (part / 2) + 32 * (part % 2) + l);
          even = times(one, f32(job.x, place)).fma(splat(factors[j]), even);
          odd = times(two, f32(job.x, place + 256)).fma(splat(factors[j + 4]), odd);
        }
      }
    }
    return Lanes.sum(even.add(odd));
  }

  /** The upper bits of 32 elements, those of the first and third 32 or the others. */
  private static IntVector bits(MemorySegment w, long at, int shift) {
    return u8(w, at).lanewise(VectorOperators.LSHR, shift);
  }

  private static FloatVector times(IntVector q, FloatVector x) {
    return toFloat(q.sub(32)).mul(x);
  }

  /** {@code d · scⱼ} of sixteen elements each. */
  static void factors(MemorySegment w, long at, float[] factors) {
    FloatVector d = splat(Lanes.half(w, at + 208));
    for (int j = 0; j < 16; j += N) {
      toFloat(Lanes.s8(w, at + 192 + j)).mul(d).intoArray(factors, j);
    }
  }
}
