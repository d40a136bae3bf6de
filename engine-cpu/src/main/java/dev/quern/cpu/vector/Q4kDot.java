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

/** Q4_K weights: {@code Σ_blocks Σⱼ (d · scⱼ · Σ q·x − dmin · mⱼ · Σ x)}. */
final class Q4kDot implements Dot {
  @Override
  public Side.Form form() {
    return Side.Form.SUMS;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n++) {
      float sum = row(job, job.wAt + n * job.rowBytes);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  private static float row(Job job, long wAt) {
    FloatVector lowSum = zero();
    FloatVector highSum = zero();
    FloatVector rest = zero();
    float[] factors = job.factors;
    int blocks = job.k / 256;
    for (int block = 0; block < blocks; block++) {
      long at = wAt + 144L * block;
      long xAt = job.xAt + 1024L * block;
      KBlock.factors(job.w, at, factors);
      rest = KBlock.minima(factors, job.side.numbers, job.numbersAt + 16 * block, rest);
      for (int c = 0; c < 4; c++) {
        FloatVector low = zero();
        FloatVector high = zero();
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(job.w, at + 16 + 32L * c + l);
          low = toFloat(q.and(15)).fma(f32(job.x, xAt + 4L * (64 * c + l)), low);
          high =
              toFloat(q.lanewise(VectorOperators.LSHR, 4))
                  .fma(f32(job.x, xAt + 4L * (64 * c + 32 + l)), high);
        }
        lowSum = low.fma(splat(factors[2 * c]), lowSum);
        highSum = high.fma(splat(factors[2 * c + 1]), highSum);
      }
    }
    return Lanes.sum(lowSum.add(highSum).add(rest));
  }
}
