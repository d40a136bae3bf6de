package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;

import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Four heads at once. A head's elements are handled 2 N at a time: of f16 the N even ones, then the
 * N odd ones, as the halves of ints hold them, else N and N in order. Queries and sums lie in that
 * order, chunk by chunk, four heads in each; what fills no chunk lies behind, head by head. A score
 * lies beside those of the other three heads, so lanes of a vector are heads and positions.
 */
final class VectorAttention implements AttentionMath {
  private static final int CHUNK = 2 * N;

  /** Positions whose scores are made together. */
  private static final int BLOCK = 32;

  private static final VectorShuffle<Float> EVEN = VectorShuffle.makeUnzip(F, 0);
  private static final VectorShuffle<Float> ODD = VectorShuffle.makeUnzip(F, 1);
  private static final VectorShuffle<Float> LOW = VectorShuffle.makeZip(F, 0);
  private static final VectorShuffle<Float> HIGH = VectorShuffle.makeZip(F, 1);

  @Override
  public void begin(Job job, MemorySegment q, long qAt) {
    job.clear();
    int whole = whole(job);
    int rest = job.size - whole;
    float scale = job.scale * (job.half ? HalfAttention.UP : 1);
    for (int h = 0; h < Math.ceilDiv(job.heads, HEADS) * HEADS; h++) {
      int first = quad(job, h / HEADS);
      // heads that are not there do what the last one does
      long from = qAt + 4L * job.size * Math.min(h, job.heads - 1);
      for (int k = 0; k < whole; k += CHUNK) {
        FloatVector a = f32(q, from + 4L * k).mul(scale);
        FloatVector b = f32(q, from + 4L * (k + N)).mul(scale);
        int to = first + HEADS * k + h % HEADS * CHUNK;
        (job.half ? a.rearrange(EVEN, b) : a).intoArray(job.q, to);
        (job.half ? a.rearrange(ODD, b) : b).intoArray(job.q, to + N);
      }
      int to = first + HEADS * whole + h % HEADS * rest;
      for (int i = 0; i < rest; i++) {
        job.q[to + i] = job.scale * q.get(RowMath.F32, from + 4L * (whole + i));
      }
    }
  }

  @Override
  public void add(Job job) {
    int count = job.positions * HEADS;
    int padded = Math.ceilDiv(count, N) * N;
    for (int quad = 0; quad < Math.ceilDiv(job.heads, HEADS); quad++) {
      int scores = quad * HEADS * PART;
      scores(job, quad(job, quad), scores);
      if (job.softCap != 0) {
        cap(job.scores, scores, padded, job.softCap);
      }
      Arrays.fill(job.scores, scores + count, scores + padded, Float.NEGATIVE_INFINITY);
      weights(job, quad, scores, padded);
      values(job, quad(job, quad), scores);
    }
  }

  /** Products of keys and queries, some positions at a time so that their sums stay near. */
  private static void scores(Job job, int q, int scores) {
    int whole = whole(job);
    float down = job.half ? HalfAttention.DOWN : 1;
    for (int j = 0; j < job.positions; j += BLOCK) {
      int count = Math.min(BLOCK, job.positions - j);
      Arrays.fill(job.part, 0, count * HEADS * N, 0);
      long at = job.keysAt + j * job.stride;
      int k = 0;
      for (; k <= whole - 2 * CHUNK; k += 2 * CHUNK) {
        if (job.half) {
          HalfAttention.two(
              job.keys, at + 2L * k, job.stride, count, job.q, q + HEADS * k, job.part);
        } else {
          FloatAttention.two(
              job.keys, at + 4L * k, job.stride, count, job.q, q + HEADS * k, job.part);
        }
      }
      if (k < whole) {
        if (job.half) {
          HalfAttention.one(
              job.keys, at + 2L * k, job.stride, count, job.q, q + HEADS * k, job.part);
        } else {
          FloatAttention.one(
              job.keys, at + 4L * k, job.stride, count, job.q, q + HEADS * k, job.part);
        }
      }
      sums(job.part, count * HEADS, down, job.scores, scores + HEADS * j);
    }
    if (whole < job.size) {
      restOfScores(job, q + HEADS * whole, scores, job.size - whole);
    }
  }

  private static void sums(float[] part, int count, float factor, float[] sums, int at) {
    for (int i = 0; i < count; i++) {
      sums[at + i] = factor * Lanes.sum(FloatVector.fromArray(F, part, i * N));
    }
  }

  private static void restOfScores(Job job, int q, int scores, int rest) {
    int whole = job.size - rest;
    for (int j = 0; j < job.positions; j++) {
      for (int i = 0; i < rest; i++) {
        float key = element(job, job.keys, job.keysAt + j * job.stride, whole + i);
        for (int h = 0; h < HEADS; h++) {
          job.scores[scores + HEADS * j + h] += job.q[q + h * rest + i] * key;
        }
      }
    }
  }

  /** Turns scores into weights, and sums so far into what they are under the new largest scores. */
  private void weights(Job job, int quad, int scores, int count) {
    int head = job.head() + quad * HEADS;
    float[] part = job.part;
    FloatVector max = splat(Float.NEGATIVE_INFINITY);
    for (int i = scores; i < scores + count; i += N) {
      max = max.max(FloatVector.fromArray(F, job.scores, i));
    }
    max.intoArray(part, 0);
    for (int h = 0; h < HEADS; h++) {
      float largest = job.max[head + h];
      for (int i = h; i < N; i += HEADS) {
        largest = Math.max(largest, part[i]);
      }
      for (int i = h; i < N; i += HEADS) {
        part[i] = largest;
      }
      if (largest > job.max[head + h]) {
        keep(job, quad, h, (float) Math.exp(job.max[head + h] - largest));
        job.max[head + h] = largest;
      }
    }
    max = FloatVector.fromArray(F, part, 0);
    float up = job.half ? HalfAttention.UP : 1;
    FloatVector sum = FloatVector.zero(F);
    for (int i = scores; i < scores + count; i += N) {
      FloatVector weight = Exp.of(FloatVector.fromArray(F, job.scores, i).sub(max));
      weight.mul(up).intoArray(job.scores, i);
      sum = sum.add(weight);
    }
    sum.intoArray(part, 0);
    for (int i = 0; i < N; i++) {
      job.sum[head + i % HEADS] += part[i];
    }
  }

  private void keep(Job job, int quad, int h, float factor) {
    job.sum[job.head() + quad * HEADS + h] *= factor;
    int whole = whole(job);
    int rest = job.size - whole;
    int first = quad(job, quad);
    for (int k = 0; k < whole; k += CHUNK) {
      scale(job.y, first + HEADS * k + h * CHUNK, CHUNK, factor);
    }
    for (int i = 0; i < rest; i++) {
      job.y[first + HEADS * whole + h * rest + i] *= factor;
    }
  }

  private static void values(Job job, int y, int scores) {
    int whole = whole(job);
    for (int k = 0; k < whole; k += CHUNK) {
      int to = y + HEADS * k;
      if (job.half) {
        long at = job.valuesAt + 2L * k;
        HalfAttention.values(
            job.values, at, job.stride, job.positions, job.scores, scores, job.y, to);
      } else {
        long at = job.valuesAt + 4L * k;
        FloatAttention.values(
            job.values, at, job.stride, job.positions, job.scores, scores, job.y, to);
      }
    }
    int rest = job.size - whole;
    for (int i = 0; i < rest; i++) {
      for (int j = 0; j < job.positions; j++) {
        float value = element(job, job.values, job.valuesAt + j * job.stride, whole + i);
        for (int h = 0; h < HEADS; h++) {
          job.y[y + HEADS * whole + h * rest + i] += job.scores[scores + HEADS * j + h] * value;
        }
      }
    }
  }

  @Override
  public void end(Job job, MemorySegment y, long yAt) {
    int whole = whole(job);
    int rest = job.size - whole;
    for (int h = 0; h < job.heads; h++) {
      int first = quad(job, h / HEADS);
      long to = yAt + 4L * job.size * h;
      float factor = job.factors[job.head() + h] * (job.half ? HalfAttention.DOWN : 1);
      float restFactor = job.factors[job.head() + h] / (job.half ? HalfAttention.UP : 1);
      for (int k = 0; k < whole; k += CHUNK) {
        int from = first + HEADS * k + h % HEADS * CHUNK;
        FloatVector a = FloatVector.fromArray(F, job.y, from).mul(factor);
        FloatVector b = FloatVector.fromArray(F, job.y, from + N).mul(factor);
        Lanes.store(job.half ? a.rearrange(LOW, b) : a, y, to + 4L * k);
        Lanes.store(job.half ? a.rearrange(HIGH, b) : b, y, to + 4L * (k + N));
      }
      for (int i = 0; i < rest; i++) {
        float value = restFactor * job.y[first + HEADS * whole + h % HEADS * rest + i];
        y.set(RowMath.F32, to + 4L * (whole + i), value);
      }
    }
  }

  @Override
  public void cap(float[] x, int at, int n, float softCap) {
    for (int i = at; i < at + n; i += N) {
      Exp.softCap(FloatVector.fromArray(F, x, i), softCap).intoArray(x, i);
    }
  }

  @Override
  public float max(float[] x, int at, int n) {
    FloatVector max = splat(Float.NEGATIVE_INFINITY);
    for (int i = at; i < at + n; i += N) {
      max = max.max(FloatVector.fromArray(F, x, i));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public float exponentials(float[] x, int at, int n, float max, float[] y, int yAt) {
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < n; i += N) {
      FloatVector weight = Exp.of(FloatVector.fromArray(F, x, at + i).sub(max));
      weight.intoArray(y, yAt + i);
      sum = sum.add(weight);
    }
    return Lanes.sum(sum);
  }

  @Override
  public void scale(float[] x, int at, int n, float factor) {
    int whole = n / N * N;
    for (int i = at; i < at + whole; i += N) {
      FloatVector.fromArray(F, x, i).mul(factor).intoArray(x, i);
    }
    for (int i = at + whole; i < at + n; i++) {
      x[i] *= factor;
    }
  }

  private static int whole(Job job) {
    return job.size / CHUNK * CHUNK;
  }

  /** Where the queries and sums of four heads of the group start. */
  private static int quad(Job job, int quad) {
    return (job.head() + quad * HEADS) * job.size;
  }

  private static float element(Job job, MemorySegment cache, long at, int i) {
    return job.half ? Lanes.half(cache, at + 2L * i) : cache.get(RowMath.F32, at + 4L * i);
  }
}
