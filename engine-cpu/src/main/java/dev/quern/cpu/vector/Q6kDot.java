package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.toFloat;
import static dev.quern.cpu.vector.Lanes.u8;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q6_K weights: {@code Σ_blocks d · Σⱼ scⱼ · Σ (q − 32)·x}, sixteen elements a scale. */
final class Q6kDot implements Dot {
  @Override
  public boolean needsSums() {
    return false;
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
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 210L * block;
      long xAt = job.xAt + 1024L * block;
      float d = Lanes.half(job.w, at + 208);
      for (int h = 0; h < 2; h++) {
        for (int l = 0; l < 32; l += N) {
          IntVector low = u8(job.w, at + 64L * h + l);
          IntVector high = u8(job.w, at + 64L * h + 32 + l);
          IntVector bits = u8(job.w, at + 128 + 32L * h + l);
          IntVector bits4 = bits.lanewise(VectorOperators.LSHL, 4);
          IntVector a = low.and(15).or(bits4.and(48));
          IntVector b = high.and(15).or(bits4.lanewise(VectorOperators.LSHR, 2).and(48));
          IntVector c = low.lanewise(VectorOperators.LSHR, 4).or(bits.and(48));
          IntVector e =
              high.lanewise(VectorOperators.LSHR, 4)
                  .or(bits.lanewise(VectorOperators.LSHR, 2).and(48));
          long scale = at + 192 + 8L * h + l / 16;
          long part = xAt + 4L * (128 * h + l);
          sum = term(sum, a, job.w, scale, d, f32(job.x, part));
          sum = term(sum, b, job.w, scale + 2, d, f32(job.x, part + 128));
          sum = term(sum, c, job.w, scale + 4, d, f32(job.x, part + 256));
          sum = term(sum, e, job.w, scale + 6, d, f32(job.x, part + 384));
        }
      }
    }
    return Lanes.sum(sum);
  }

  private static FloatVector term(
      FloatVector sum, IntVector q, MemorySegment w, long scale, float d, FloatVector x) {
    float factor = d * w.get(ValueLayout.JAVA_BYTE, scale);
    return toFloat(q.sub(32)).mul(x).fma(splat(factor), sum);
  }
}
