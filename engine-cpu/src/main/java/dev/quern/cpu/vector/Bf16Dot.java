package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** BF16 weights, widened in registers. */
final class Bf16Dot implements Dot {
  @Override
  public Side.Form form() {
    return Side.Form.NONE;
  }

  @Override
  public void run(Job job) {
    for (int n = 0; n < job.rows; n++) {
      float sum = dot(job.w, job.wAt + n * job.rowBytes, job.x, job.xAt, job.k);
      job.y.set(RowMath.F32, job.yAt + 4L * n, sum);
    }
  }

  static float dot(MemorySegment w, long wAt, MemorySegment x, long xAt, int count) {
    FloatVector a = zero();
    FloatVector b = zero();
    int k = 0;
    for (; k <= count - 2 * N; k += 2 * N) {
      a = Lanes.bf16(w, wAt + 2L * k).fma(f32(x, xAt + 4L * k), a);
      b = Lanes.bf16(w, wAt + 2L * (k + N)).fma(f32(x, xAt + 4L * (k + N)), b);
    }
    for (; k <= count - N; k += N) {
      a = Lanes.bf16(w, wAt + 2L * k).fma(f32(x, xAt + 4L * k), a);
    }
    float sum = Lanes.sum(a.add(b));
    for (; k < count; k++) {
      sum +=
          Float.intBitsToFloat(w.get(RowMath.I16, wAt + 2L * k) << 16)
              * x.get(RowMath.F32, xAt + 4L * k);
    }
    return sum;
  }
}
