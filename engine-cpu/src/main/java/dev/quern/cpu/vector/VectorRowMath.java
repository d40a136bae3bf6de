package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.store;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/** Row operations; what does not fill a vector is done one by one. */
final class VectorRowMath implements RowMath {
  /** Cosines of N pairs stand at even places of two vectors of the table, sines at odd ones. */
  private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(Lanes.F, i -> 2 * i % N);

  private static final VectorShuffle<Float> ODD =
      VectorShuffle.fromOp(Lanes.F, i -> (2 * i + 1) % N);

  @Override
  public void add(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(a, aAt + 4L * i).add(f32(b, bAt + 4L * i)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) + get(b, bAt, i));
    }
  }

  @Override
  public void mul(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(a, aAt + 4L * i).mul(f32(b, bAt + 4L * i)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) * get(b, bAt, i));
    }
  }

  @Override
  public void addScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(a, aAt + 4L * i).add(b), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) + b);
    }
  }

  @Override
  public void mulScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(a, aAt + 4L * i).mul(b), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) * b);
    }
  }

  @Override
  public void addScaled(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    FloatVector factor = splat(b);
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(a, aAt + 4L * i).fma(factor, f32(y, yAt + 4L * i)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, Math.fma(get(a, aAt, i), b, get(y, yAt, i)));
    }
  }

  @Override
  public void swish(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      FloatVector value = f32(x, xAt + 4L * i);
      store(value.div(Exp.of(value.neg()).add(1)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      double value = get(x, xAt, i);
      set(y, yAt, i, (float) (value / (1 + Math.exp(-value))));
    }
  }

  @Override
  public void gelu(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    float twice = (float) (2 * Math.sqrt(2 / Math.PI));
    int i = 0;
    for (; i <= n - N; i += N) {
      FloatVector value = f32(x, xAt + 4L * i);
      FloatVector cube = value.mul(value).mul(value);
      FloatVector u = cube.fma(splat(0.044715f), value).mul(-twice);
      store(value.div(Exp.of(u).add(1)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, RowMath.gelu(get(x, xAt, i)));
    }
  }

  @Override
  public void softCap(MemorySegment x, long xAt, float cap, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(Exp.softCap(f32(x, xAt + 4L * i), cap), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, (float) (cap * Math.tanh((double) get(x, xAt, i) / cap)));
    }
  }

  @Override
  public void clamp(
      MemorySegment x, long xAt, float low, float high, MemorySegment y, long yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(x, xAt + 4L * i).max(low).min(high), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, Math.clamp(get(x, xAt, i), low, high));
    }
  }

  @Override
  public float squares(MemorySegment x, long xAt, int n) {
    FloatVector even = zero();
    FloatVector odd = zero();
    int i = 0;
    for (; i <= n - 2 * N; i += 2 * N) {
      FloatVector one = f32(x, xAt + 4L * i);
      FloatVector two = f32(x, xAt + 4L * (i + N));
      even = one.fma(one, even);
      odd = two.fma(two, odd);
    }
    double sum = Lanes.sum(even.add(odd));
    for (; i < n; i++) {
      double value = get(x, xAt, i);
      sum += value * value;
    }
    return (float) sum;
  }

  @Override
  public void scaleBy(
      MemorySegment x,
      long xAt,
      float factor,
      MemorySegment w,
      long wAt,
      MemorySegment y,
      long yAt,
      int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      store(f32(x, xAt + 4L * i).mul(factor).mul(f32(w, wAt + 4L * i)), y, yAt + 4L * i);
    }
    for (; i < n; i++) {
      set(y, yAt, i, get(x, xAt, i) * factor * get(w, wAt, i));
    }
  }

  @Override
  public float max(MemorySegment x, long xAt, int n) {
    FloatVector max = splat(Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= n - N; i += N) {
      max = max.max(f32(x, xAt + 4L * i));
    }
    float result = max.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      result = Math.max(result, get(x, xAt, i));
    }
    return result;
  }

  @Override
  public float largest(MemorySegment x, long xAt, int n) {
    FloatVector max = zero();
    int i = 0;
    for (; i <= n - N; i += N) {
      max = max.max(f32(x, xAt + 4L * i).abs());
    }
    float result = max.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      result = Math.max(result, Math.abs(get(x, xAt, i)));
    }
    return result;
  }

  @Override
  public void round(MemorySegment x, long xAt, float factor, int[] y, int yAt, int n) {
    int i = 0;
    for (; i <= n - N; i += N) {
      FloatVector rounded = f32(x, xAt + 4L * i).mul(factor).add(Exp.ROUND);
      rounded.reinterpretAsInts().sub(Exp.ROUND_BITS).intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = (int) Math.rint(get(x, xAt, i) * factor);
    }
  }

  @Override
  public float exponentials(
      MemorySegment x, long xAt, float max, MemorySegment y, long yAt, int n) {
    FloatVector sums = zero();
    int i = 0;
    for (; i <= n - N; i += N) {
      FloatVector value = Exp.of(f32(x, xAt + 4L * i).sub(max));
      store(value, y, yAt + 4L * i);
      sums = sums.add(value);
    }
    double sum = Lanes.sum(sums);
    for (; i < n; i++) {
      float value = (float) Math.exp(get(x, xAt, i) - max);
      set(y, yAt, i, value);
      sum += value;
    }
    return (float) sum;
  }

  @Override
  public void rotateHalves(
      MemorySegment x,
      long xAt,
      MemorySegment table,
      long tableAt,
      MemorySegment y,
      long yAt,
      int pairs) {
    int i = 0;
    for (; i <= pairs - N; i += N) {
      FloatVector low = f32(table, tableAt + 8L * i);
      FloatVector high = f32(table, tableAt + 8L * i + 4L * N);
      FloatVector cos = low.rearrange(EVEN).blend(high.rearrange(EVEN), Exp.UPPER);
      FloatVector sin = low.rearrange(ODD).blend(high.rearrange(ODD), Exp.UPPER);
      FloatVector u = f32(x, xAt + 4L * i);
      FloatVector v = f32(x, xAt + 4L * (i + pairs));
      store(u.mul(cos).sub(v.mul(sin)), y, yAt + 4L * i);
      store(u.mul(sin).add(v.mul(cos)), y, yAt + 4L * (i + pairs));
    }
    for (; i < pairs; i++) {
      float cos = get(table, tableAt, 2 * i);
      float sin = get(table, tableAt, 2 * i + 1);
      float u = get(x, xAt, i);
      float v = get(x, xAt, i + pairs);
      set(y, yAt, i, u * cos - v * sin);
      set(y, yAt, i + pairs, u * sin + v * cos);
    }
  }

  @Override
  public void toHalf(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      y.set(I16, yAt + 2L * i, Float.floatToFloat16(get(x, xAt, i)));
    }
  }

  private static float get(MemorySegment segment, long at, int i) {
    return segment.get(F32, at + 4L * i);
  }

  private static void set(MemorySegment segment, long at, int i, float value) {
    segment.set(F32, at + 4L * i, value);
  }
}
