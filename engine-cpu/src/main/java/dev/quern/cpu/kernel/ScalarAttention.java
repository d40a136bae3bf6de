package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Plain loops. */
final class ScalarAttention implements AttentionMath {
  @Override
  public void begin(Job job, MemorySegment q, long qAt) {
    int to = job.head() * job.size;
    MemorySegment.copy(q, RowMath.F32, qAt, job.q, to, job.heads * job.size);
    job.clear();
  }

  @Override
  public void add(Job job) {
    for (int i = 0; i < job.heads; i++) {
      int at = i * PART;
      int h = job.head() + i;
      scores(job, job.q, h * job.size, at);
      float max = Math.max(job.max[h], max(job.scores, at, job.positions));
      float kept = (float) Math.exp(job.max[h] - max);
      job.max[h] = max;
      job.sum[h] =
          kept * job.sum[h] + exponentials(job.scores, at, job.positions, max, job.scores, at);
      for (int k = 0; k < job.size; k++) {
        double sum = kept * job.y[h * job.size + k];
        for (int j = 0; j < job.positions; j++) {
          sum += (double) job.scores[at + j] * element(job, job.values, job.valuesAt, j, k);
        }
        job.y[h * job.size + k] = (float) sum;
      }
    }
  }

  private void scores(Job job, float[] q, int from, int at) {
    for (int j = 0; j < job.positions; j++) {
      double sum = 0;
      for (int k = 0; k < job.size; k++) {
        sum += (double) q[from + k] * element(job, job.keys, job.keysAt, j, k);
      }
      job.scores[at + j] = (float) (job.scale * sum);
    }
    if (job.softCap != 0) {
      cap(job.scores, at, job.positions, job.softCap);
    }
  }

  @Override
  public void end(Job job, MemorySegment y, long yAt) {
    for (int i = 0; i < job.heads * job.size; i++) {
      int from = job.head() * job.size + i;
      y.set(RowMath.F32, yAt + 4L * i, job.factors[from / job.size] * job.y[from]);
    }
  }

  @Override
  public void cap(float[] x, int at, int n, float softCap) {
    for (int i = at; i < at + n; i++) {
      x[i] = (float) (softCap * Math.tanh((double) x[i] / softCap));
    }
  }

  @Override
  public float max(float[] x, int at, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + n; i++) {
      max = Math.max(max, x[i]);
    }
    return max;
  }

  @Override
  public float exponentials(float[] x, int at, int n, float max, float[] y, int yAt) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      float value = (float) Math.exp(x[at + i] - max);
      y[yAt + i] = value;
      sum += value;
    }
    return (float) sum;
  }

  @Override
  public void scale(float[] x, int at, int n, float factor) {
    for (int i = at; i < at + n; i++) {
      x[i] *= factor;
    }
  }

  private static float element(Job job, MemorySegment cache, long at, int j, int i) {
    long place = at + j * job.stride;
    return job.half
        ? Float.float16ToFloat(cache.get(RowMath.I16, place + 2L * i))
        : cache.get(RowMath.F32, place + 4L * i);
  }
}
