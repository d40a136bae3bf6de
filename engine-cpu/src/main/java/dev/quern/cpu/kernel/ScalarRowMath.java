package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Row operations in plain loops; sums in double precision. */
final class ScalarRowMath implements RowMath {
  @Override
  public void add(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) + get(b, bAt, i));
    }
  }

  @Override
  public void mul(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) * get(b, bAt, i));
    }
  }

  @Override
  public void addScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) + b);
    }
  }

  @Override
  public void mulScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(a, aAt, i) * b);
    }
  }

  @Override
  public void addScaled(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(y, yAt, i) + b * get(a, aAt, i));
    }
  }

  @Override
  public void swish(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      double value = get(x, xAt, i);
      set(y, yAt, i, (float) (value / (1 + Math.exp(-value))));
    }
  }

  @Override
  public void gelu(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, RowMath.gelu(get(x, xAt, i)));
    }
  }

  @Override
  public void softCap(MemorySegment x, long xAt, float cap, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, (float) (cap * Math.tanh((double) get(x, xAt, i) / cap)));
    }
  }

  @Override
  public void clamp(
      MemorySegment x, long xAt, float low, float high, MemorySegment y, long yAt, int n) {
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, Math.clamp(get(x, xAt, i), low, high));
    }
  }

  @Override
  public float squares(MemorySegment x, long xAt, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
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
    for (int i = 0; i < n; i++) {
      set(y, yAt, i, get(x, xAt, i) * factor * get(w, wAt, i));
    }
  }

  @Override
  public float max(MemorySegment x, long xAt, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, get(x, xAt, i));
    }
    return max;
  }

  @Override
  public float largest(MemorySegment x, long xAt, int n) {
    float max = 0;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, Math.abs(get(x, xAt, i)));
    }
    return max;
  }

  @Override
  public void round(MemorySegment x, long xAt, float factor, int[] y, int yAt, int n) {
    for (int i = 0; i < n; i++) {
      y[yAt + i] = (int) Math.rint(get(x, xAt, i) * factor);
    }
  }

  @Override
  public float exponentials(
      MemorySegment x, long xAt, float max, MemorySegment y, long yAt, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
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
    for (int i = 0; i < pairs; i++) {
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
