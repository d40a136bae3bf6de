package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.store;

import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Register-blocked products. With 16 lanes four vectors of weights meet six broadcast activations:
 * 24 sums, 4 weights and 1 activation of 32 registers. With fewer lanes two vectors do, so that 16
 * registers are enough.
 */
final class VectorTile implements Tile {
  /** Vectors of weights side by side. */
  private static final int WIDE = N == 16 ? 4 : 2;

  @Override
  public void multiply(
      MemorySegment tile,
      int count,
      MemorySegment x,
      long xAt,
      long xStride,
      int tokens,
      MemorySegment c) {
    for (int n = 0; n < ROWS; n += WIDE * N) {
      int t = 0;
      for (; t <= tokens - 6; t += 6) {
        if (WIDE == 4) {
          six4(tile, n, count, x, xAt + t * xStride, xStride, c, t);
        } else {
          six2(tile, n, count, x, xAt + t * xStride, xStride, c, t);
        }
      }
      for (; t <= tokens - 2; t += 2) {
        two(tile, n, count, x, xAt + t * xStride, xStride, c, t);
      }
      for (; t < tokens; t++) {
        one(tile, n, count, x, xAt + t * xStride, c, t);
      }
    }
  }

  private static long place(int t, int n) {
    return 4L * (t * ROWS + n);
  }

  private static void six4(
      MemorySegment tile,
      int n,
      int count,
      MemorySegment x,
      long xAt,
      long xStride,
      MemorySegment c,
      int t) {
    FloatVector a0 = f32(c, place(t, n));
    FloatVector a1 = f32(c, place(t, n + N));
    FloatVector a2 = f32(c, place(t, n + 2 * N));
    FloatVector a3 = f32(c, place(t, n + 3 * N));
    FloatVector b0 = f32(c, place(t + 1, n));
    FloatVector b1 = f32(c, place(t + 1, n + N));
    FloatVector b2 = f32(c, place(t + 1, n + 2 * N));
    FloatVector b3 = f32(c, place(t + 1, n + 3 * N));
    FloatVector c0 = f32(c, place(t + 2, n));
    FloatVector c1 = f32(c, place(t + 2, n + N));
    FloatVector c2 = f32(c, place(t + 2, n + 2 * N));
    FloatVector c3 = f32(c, place(t + 2, n + 3 * N));
    FloatVector d0 = f32(c, place(t + 3, n));
    FloatVector d1 = f32(c, place(t + 3, n + N));
    FloatVector d2 = f32(c, place(t + 3, n + 2 * N));
    FloatVector d3 = f32(c, place(t + 3, n + 3 * N));
    FloatVector e0 = f32(c, place(t + 4, n));
    FloatVector e1 = f32(c, place(t + 4, n + N));
    FloatVector e2 = f32(c, place(t + 4, n + 2 * N));
    FloatVector e3 = f32(c, place(t + 4, n + 3 * N));
    FloatVector f0 = f32(c, place(t + 5, n));
    FloatVector f1 = f32(c, place(t + 5, n + N));
    FloatVector f2 = f32(c, place(t + 5, n + 2 * N));
    FloatVector f3 = f32(c, place(t + 5, n + 3 * N));
    for (int k = 0; k < count; k++) {
      FloatVector w0 = f32(tile, place(k, n));
      FloatVector w1 = f32(tile, place(k, n + N));
      FloatVector w2 = f32(tile, place(k, n + 2 * N));
      FloatVector w3 = f32(tile, place(k, n + 3 * N));
      long at = xAt + 4L * k;
      FloatVector xa = splat(x.get(RowMath.F32, at));
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      a2 = w2.fma(xa, a2);
      a3 = w3.fma(xa, a3);
      FloatVector xb = splat(x.get(RowMath.F32, at + xStride));
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      b2 = w2.fma(xb, b2);
      b3 = w3.fma(xb, b3);
      FloatVector xc = splat(x.get(RowMath.F32, at + 2 * xStride));
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      c2 = w2.fma(xc, c2);
      c3 = w3.fma(xc, c3);
      FloatVector xd = splat(x.get(RowMath.F32, at + 3 * xStride));
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
      d2 = w2.fma(xd, d2);
      d3 = w3.fma(xd, d3);
      FloatVector xe = splat(x.get(RowMath.F32, at + 4 * xStride));
      e0 = w0.fma(xe, e0);
      e1 = w1.fma(xe, e1);
      e2 = w2.fma(xe, e2);
      e3 = w3.fma(xe, e3);
      FloatVector xf = splat(x.get(RowMath.F32, at + 5 * xStride));
      f0 = w0.fma(xf, f0);
      f1 = w1.fma(xf, f1);
      f2 = w2.fma(xf, f2);
      f3 = w3.fma(xf, f3);
    }
    store(a0, c, place(t, n));
    store(a1, c, place(t, n + N));
    store(a2, c, place(t, n + 2 * N));
    store(a3, c, place(t, n + 3 * N));
    store(b0, c, place(t + 1, n));
    store(b1, c, place(t + 1, n + N));
    store(b2, c, place(t + 1, n + 2 * N));
    store(b3, c, place(t + 1, n + 3 * N));
    store(c0, c, place(t + 2, n));
    store(c1, c, place(t + 2, n + N));
    store(c2, c, place(t + 2, n + 2 * N));
    store(c3, c, place(t + 2, n + 3 * N));
    store(d0, c, place(t + 3, n));
    store(d1, c, place(t + 3, n + N));
    store(d2, c, place(t + 3, n + 2 * N));
    store(d3, c, place(t + 3, n + 3 * N));
    store(e0, c, place(t + 4, n));
    store(e1, c, place(t + 4, n + N));
    store(e2, c, place(t + 4, n + 2 * N));
    store(e3, c, place(t + 4, n + 3 * N));
    store(f0, c, place(t + 5, n));
    store(f1, c, place(t + 5, n + N));
    store(f2, c, place(t + 5, n + 2 * N));
    store(f3, c, place(t + 5, n + 3 * N));
  }

  private static void six2(
      MemorySegment tile,
      int n,
      int count,
      MemorySegment x,
      long xAt,
      long xStride,
      MemorySegment c,
      int t) {
    FloatVector a0 = f32(c, place(t, n));
    FloatVector a1 = f32(c, place(t, n + N));
    FloatVector b0 = f32(c, place(t + 1, n));
    FloatVector b1 = f32(c, place(t + 1, n + N));
    FloatVector c0 = f32(c, place(t + 2, n));
    FloatVector c1 = f32(c, place(t + 2, n + N));
    FloatVector d0 = f32(c, place(t + 3, n));
    FloatVector d1 = f32(c, place(t + 3, n + N));
    FloatVector e0 = f32(c, place(t + 4, n));
    FloatVector e1 = f32(c, place(t + 4, n + N));
    FloatVector f0 = f32(c, place(t + 5, n));
    FloatVector f1 = f32(c, place(t + 5, n + N));
    for (int k = 0; k < count; k++) {
      FloatVector w0 = f32(tile, place(k, n));
      FloatVector w1 = f32(tile, place(k, n + N));
      long at = xAt + 4L * k;
      FloatVector xa = splat(x.get(RowMath.F32, at));
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      FloatVector xb = splat(x.get(RowMath.F32, at + xStride));
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      FloatVector xc = splat(x.get(RowMath.F32, at + 2 * xStride));
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      FloatVector xd = splat(x.get(RowMath.F32, at + 3 * xStride));
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
      FloatVector xe = splat(x.get(RowMath.F32, at + 4 * xStride));
      e0 = w0.fma(xe, e0);
      e1 = w1.fma(xe, e1);
      FloatVector xf = splat(x.get(RowMath.F32, at + 5 * xStride));
      f0 = w0.fma(xf, f0);
      f1 = w1.fma(xf, f1);
    }
    store(a0, c, place(t, n));
    store(a1, c, place(t, n + N));
    store(b0, c, place(t + 1, n));
    store(b1, c, place(t + 1, n + N));
    store(c0, c, place(t + 2, n));
    store(c1, c, place(t + 2, n + N));
    store(d0, c, place(t + 3, n));
    store(d1, c, place(t + 3, n + N));
    store(e0, c, place(t + 4, n));
    store(e1, c, place(t + 4, n + N));
    store(f0, c, place(t + 5, n));
    store(f1, c, place(t + 5, n + N));
  }

  private static void two(
      MemorySegment tile,
      int n,
      int count,
      MemorySegment x,
      long xAt,
      long xStride,
      MemorySegment c,
      int t) {
    for (int m = n; m < n + WIDE * N; m += 2 * N) {
      FloatVector a0 = f32(c, place(t, m));
      FloatVector a1 = f32(c, place(t, m + N));
      FloatVector b0 = f32(c, place(t + 1, m));
      FloatVector b1 = f32(c, place(t + 1, m + N));
      for (int k = 0; k < count; k++) {
        FloatVector w0 = f32(tile, place(k, m));
        FloatVector w1 = f32(tile, place(k, m + N));
        FloatVector a = splat(x.get(RowMath.F32, xAt + 4L * k));
        FloatVector b = splat(x.get(RowMath.F32, xAt + xStride + 4L * k));
        a0 = w0.fma(a, a0);
        a1 = w1.fma(a, a1);
        b0 = w0.fma(b, b0);
        b1 = w1.fma(b, b1);
      }
      store(a0, c, place(t, m));
      store(a1, c, place(t, m + N));
      store(b0, c, place(t + 1, m));
      store(b1, c, place(t + 1, m + N));
    }
  }

  private static void one(
      MemorySegment tile, int n, int count, MemorySegment x, long xAt, MemorySegment c, int t) {
    for (int m = n; m < n + WIDE * N; m += N) {
      FloatVector sum = f32(c, place(t, m));
      for (int k = 0; k < count; k++) {
        sum = f32(tile, place(k, m)).fma(splat(x.get(RowMath.F32, xAt + 4L * k)), sum);
      }
      store(sum, c, place(t, m));
    }
  }
}
