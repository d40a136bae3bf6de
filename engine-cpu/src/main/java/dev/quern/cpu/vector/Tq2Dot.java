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

/** TQ2_0 weights: {@code Σ_blocks d · Σ (code − 1)·x}. */
final class Tq2Dot implements Dot {
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
    FloatVector sum = zero();
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 66L * block;
      long xAt = job.xAt + 1024L * block;
      FloatVector part = zero();
      for (int h = 0; h < 2; h++) {
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(job.w, at + 32L * h + l);
          for (int n = 0; n < 4; n++) {
            FloatVector w = toFloat(q.lanewise(VectorOperators.LSHR, 2 * n).and(3).sub(1));
            part = w.fma(f32(job.x, xAt + 4L * (128 * h + 32 * n + l)), part);
          }
        }
      }
      sum = part.fma(splat(Lanes.half(job.w, at + 64)), sum);
    }
    return Lanes.sum(sum);
  }
}
