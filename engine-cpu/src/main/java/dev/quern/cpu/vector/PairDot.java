package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.ADD;

import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Side;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * Weights of 16 bits, widened in registers. A vector of ints holds the even ones in its lower
 * halves and the odd ones in its upper halves, so a load widens nothing, and activations are parted
 * in the same way once for all rows. Four rows at once share the activations and are four streams,
 * whose starts of pages fall together.
 */
abstract class PairDot implements Dot {
  private static final int ROUND = 2 * N;
  private static final VectorShuffle<Float> EVEN = VectorShuffle.makeUnzip(F, 0);
  private static final VectorShuffle<Float> ODD = VectorShuffle.makeUnzip(F, 1);

  private final float up;
  private final float down;

  /** Activations are multiplied by {@code up} first, sums by {@code down}: powers of two. */
  PairDot(float up, float down) {
    this.up = up;
    this.down = down;
  }

  /**
   * Products of four rows with parted activations: {@code sums[i · N + lane]}.
   *
   * @param w the weights
   * @param w0 where the first row starts; {@code w1} to {@code w3} likewise
   * @param x activations, N even ones, then N odd ones
   * @param count elements, a multiple of 2 N
   */
  abstract void four(
      MemorySegment w,
      long w0,
      long w1,
      long w2,
      long w3,
      MemorySegment x,
      int count,
      float[] sums);

  /** One weight. */
  abstract float weight(MemorySegment w, long at);

  @Override
  public Side.Form form() {
    return Side.Form.NONE;
  }

  @Override
  public int rows() {
    return 4;
  }

  @Override
  public void run(Job job) {
    int whole = job.k / ROUND * ROUND;
    part(job.x, job.xAt, whole, up, job.scratch);
    for (int n = 0; n < job.rows; n += 4) {
      float[] sums = job.factors;
      four(
          job.w,
          at(job, n),
          at(job, n + 1),
          at(job, n + 2),
          at(job, n + 3),
          job.scratch,
          whole,
          sums);
      for (int i = 0; i < Math.min(4, job.rows - n); i++) {
        float sum = down * FloatVector.fromArray(F, sums, i * N).reduceLanes(ADD);
        job.y.set(RowMath.F32, job.yAt + 4L * (n + i), sum + rest(job, at(job, n + i), whole));
      }
    }
  }

  /** Where a row starts; beyond the last one, where that does. */
  private static long at(Job job, int n) {
    return job.wAt + Math.min(n, job.rows - 1) * job.rowBytes;
  }

  /**
   * Parts activations. It calls no method of ours in its loop: at times C2 left the ones for loads
   * and stores out of line here, and then each call makes objects.
   */
  private static void part(MemorySegment x, long at, int count, float up, MemorySegment parted) {
    MemorySegment from = Lanes.offHeap(x);
    MemorySegment to = Lanes.offHeap(parted);
    for (int k = 0; k < count; k += ROUND) {
      FloatVector a = FloatVector.fromMemorySegment(F, from, at + 4L * k, LE);
      FloatVector b = FloatVector.fromMemorySegment(F, from, at + 4L * (k + N), LE);
      a.rearrange(EVEN, b).mul(up).intoMemorySegment(to, 4L * k, LE);
      a.rearrange(ODD, b).mul(up).intoMemorySegment(to, 4L * (k + N), LE);
    }
  }

  private float rest(Job job, long at, int first) {
    float sum = 0;
    for (int k = first; k < job.k; k++) {
      sum += weight(job.w, at + 2L * k) * job.x.get(RowMath.F32, job.xAt + 4L * k);
    }
    return sum;
  }
}
