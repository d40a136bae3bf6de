package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowLanes;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Interleaved weights, decoded some columns at a time, times float32 activations. */
record ExactLanes(RowLanes lanes) implements Dot {
  private static final int COLUMNS = 256;

  @Override
  public Side.Form form() {
    return Side.Form.NONE;
  }

  @Override
  public void run(Job job) {
    int rows = lanes.layout().lanes();
    for (int n = 0; n < job.rows; n += rows) {
      Arrays.fill(job.sums, 0, rows, 0);
      for (int column = 0; column < job.k; column += COLUMNS) {
        int count = Math.min(COLUMNS, job.k - column);
        long group = job.wAt + n / rows * job.rowBytes;
        lanes.fill(job.w, group, job.k, column, count, job.scratch, 0, 4L * rows, job.factors);
        for (int first = 0; first < rows; first += N) {
          add(job, first, 4L * rows, column, count);
        }
      }
      job.store(n, rows);
    }
  }

  /** Adds the products of decoded columns to the sums of some rows. */
  private static void add(Job job, int first, long stride, int column, int count) {
    FloatVector even = FloatVector.fromArray(Lanes.F, job.sums, first);
    FloatVector odd = zero();
    for (int c = 0; c < count; c += 2) {
      long at = job.xAt + 4L * (column + c);
      long w = 4L * first + stride * c;
      FloatVector x = splat(job.x.get(RowMath.F32, at));
      even = f32(job.scratch, w).fma(x, even);
      FloatVector y = splat(job.x.get(RowMath.F32, at + 4));
      odd = f32(job.scratch, w + stride).fma(y, odd);
    }
    even.add(odd).intoArray(job.sums, first);
  }
}
