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
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q4_0 weights: {@code Σ_blocks d · Σ (q − 8)·x}. */
final class Q4Dot implements Dot {
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

  static float row(Job job, long wAt) {
    FloatVector sum = zero();
    int blocks = job.k / 32;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 18L * block;
      long xAt = job.xAt + 128L * block;
      FloatVector part = zero();
      for (int l = 0; l < 16; l += N) {
        IntVector q = u8(job.w, at + 2 + l);
        FloatVector low = toFloat(q.and(15).sub(8));
        FloatVector high = toFloat(q.lanewise(VectorOperators.LSHR, 4).sub(8));
        part = low.fma(f32(job.x, xAt + 4L * l), part);
        part = high.fma(f32(job.x, xAt + 4L * (l + 16)), part);
      }
      sum = part.fma(splat(Lanes.half(job.w, at)), sum);
    }
    return Lanes.sum(sum);
  }
}
