package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Register-blocked products. With 16 lanes four vectors of weights meet six broadcast activations:
 * 24 sums, 4 weights and 1 activation of 32 registers. With fewer lanes two vectors do, so that 16
 * registers are enough.
 *
 * <p>C2 stops inlining in a method that has grown past a fixed number of nodes, and then boxes
 * every vector: 50 times slower. Each access to a segment costs hundreds of nodes, so that
 * activations and sums pass through small arrays here.
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
      Sums sums) {
    for (int t = 0; t < tokens; t += TOKENS) {
      int group = Math.min(TOKENS, tokens - t);
      for (int i = 0; i < group; i++) {
        MemorySegment.copy(x, RowMath.F32, xAt + (t + i) * xStride, sums.x, i * COLUMNS, count);
      }
      for (int n = 0; n < ROWS; n += WIDE * N) {
        group(tile, n, count, group, sums);
        add(sums.part, sums.all, t, n, group);
      }
    }
  }

  @Override
  public void transpose(MemorySegment band, int count, MemorySegment tile, int row, Sums sums) {
    if (N != 16 || count % 16 != 0) {
      Tile.super.transpose(band, count, tile, row, sums);
      return;
    }
    for (int k = 0; k < count; k += 16) {
      Transpose.block(band, 4L * k, sums.part, tile, place(k, row));
    }
  }

  private static void group(MemorySegment tile, int n, int count, int group, Sums sums) {
    if (group > 2) {
      if (WIDE == 4) {
        six4(tile, n, count, sums.x, sums.part);
      } else {
        six2(tile, n, count, sums.x, sums.part);
      }
    } else {
      for (int m = 0; m < WIDE; m += 2) {
        two(tile, n + m * N, count, sums.x, sums.part, m * N);
      }
    }
  }

  /** Adds the sums of a group of tokens to those of all. */
  private static void add(float[] part, float[] all, int t, int n, int group) {
    for (int i = 0; i < group; i++) {
      for (int m = 0; m < WIDE * N; m += N) {
        int to = (t + i) * ROWS + n + m;
        FloatVector sum = FloatVector.fromArray(Lanes.F, part, i * WIDE * N + m);
        sum.add(FloatVector.fromArray(Lanes.F, all, to)).intoArray(all, to);
      }
    }
  }

  private static long place(int k, int n) {
    return 4L * (k * ROWS + n);
  }

  private static void six4(MemorySegment tile, int n, int count, float[] x, float[] part) {
    FloatVector a0 = zero();
    FloatVector a1 = zero();
    FloatVector a2 = zero();
    FloatVector a3 = zero();
    FloatVector b0 = zero();
    FloatVector b1 = zero();
    FloatVector b2 = zero();
    FloatVector b3 = zero();
    FloatVector c0 = zero();
    FloatVector c1 = zero();
    FloatVector c2 = zero();
    FloatVector c3 = zero();
    FloatVector d0 = zero();
    FloatVector d1 = zero();
    FloatVector d2 = zero();
    FloatVector d3 = zero();
    FloatVector e0 = zero();
    FloatVector e1 = zero();
    FloatVector e2 = zero();
    FloatVector e3 = zero();
    FloatVector f0 = zero();
    FloatVector f1 = zero();
    FloatVector f2 = zero();
    FloatVector f3 = zero();
    for (int k = 0; k < count; k++) {
      FloatVector w0 = f32(tile, place(k, n));
      FloatVector w1 = f32(tile, place(k, n + N));
      FloatVector w2 = f32(tile, place(k, n + 2 * N));
      FloatVector w3 = f32(tile, place(k, n + 3 * N));
      FloatVector xa = splat(x[k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      a2 = w2.fma(xa, a2);
      a3 = w3.fma(xa, a3);
      FloatVector xb = splat(x[COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      b2 = w2.fma(xb, b2);
      b3 = w3.fma(xb, b3);
      FloatVector xc = splat(x[2 * COLUMNS + k]);
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      c2 = w2.fma(xc, c2);
      c3 = w3.fma(xc, c3);
      FloatVector xd = splat(x[3 * COLUMNS + k]);
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
      d2 = w2.fma(xd, d2);
      d3 = w3.fma(xd, d3);
      FloatVector xe = splat(x[4 * COLUMNS + k]);
      e0 = w0.fma(xe, e0);
      e1 = w1.fma(xe, e1);
      e2 = w2.fma(xe, e2);
      e3 = w3.fma(xe, e3);
      FloatVector xf = splat(x[5 * COLUMNS + k]);
      f0 = w0.fma(xf, f0);
      f1 = w1.fma(xf, f1);
      f2 = w2.fma(xf, f2);
      f3 = w3.fma(xf, f3);
    }
    a0.intoArray(part, 0);
    a1.intoArray(part, N);
    a2.intoArray(part, 2 * N);
    a3.intoArray(part, 3 * N);
    b0.intoArray(part, 4 * N);
    b1.intoArray(part, 5 * N);
    b2.intoArray(part, 6 * N);
    b3.intoArray(part, 7 * N);
    c0.intoArray(part, 8 * N);
    c1.intoArray(part, 9 * N);
    c2.intoArray(part, 10 * N);
    c3.intoArray(part, 11 * N);
    d0.intoArray(part, 12 * N);
    d1.intoArray(part, 13 * N);
    d2.intoArray(part, 14 * N);
    d3.intoArray(part, 15 * N);
    e0.intoArray(part, 16 * N);
    e1.intoArray(part, 17 * N);
    e2.intoArray(part, 18 * N);
    e3.intoArray(part, 19 * N);
    f0.intoArray(part, 20 * N);
    f1.intoArray(part, 21 * N);
    f2.intoArray(part, 22 * N);
    f3.intoArray(part, 23 * N);
  }

  private static void six2(MemorySegment tile, int n, int count, float[] x, float[] part) {
    FloatVector a0 = zero();
    FloatVector a1 = zero();
    FloatVector b0 = zero();
    FloatVector b1 = zero();
    FloatVector c0 = zero();
    FloatVector c1 = zero();
    FloatVector d0 = zero();
    FloatVector d1 = zero();
    FloatVector e0 = zero();
    FloatVector e1 = zero();
    FloatVector f0 = zero();
    FloatVector f1 = zero();
    for (int k = 0; k < count; k++) {
      FloatVector w0 = f32(tile, place(k, n));
      FloatVector w1 = f32(tile, place(k, n + N));
      FloatVector xa = splat(x[k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      FloatVector xb = splat(x[COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      FloatVector xc = splat(x[2 * COLUMNS + k]);
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      FloatVector xd = splat(x[3 * COLUMNS + k]);
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
      FloatVector xe = splat(x[4 * COLUMNS + k]);
      e0 = w0.fma(xe, e0);
      e1 = w1.fma(xe, e1);
      FloatVector xf = splat(x[5 * COLUMNS + k]);
      f0 = w0.fma(xf, f0);
      f1 = w1.fma(xf, f1);
    }
    a0.intoArray(part, 0);
    a1.intoArray(part, N);
    b0.intoArray(part, 2 * N);
    b1.intoArray(part, 3 * N);
    c0.intoArray(part, 4 * N);
    c1.intoArray(part, 5 * N);
    d0.intoArray(part, 6 * N);
    d1.intoArray(part, 7 * N);
    e0.intoArray(part, 8 * N);
    e1.intoArray(part, 9 * N);
    f0.intoArray(part, 10 * N);
    f1.intoArray(part, 11 * N);
  }

  private static void two(MemorySegment tile, int n, int count, float[] x, float[] part, int at) {
    FloatVector a0 = zero();
    FloatVector a1 = zero();
    FloatVector b0 = zero();
    FloatVector b1 = zero();
    for (int k = 0; k < count; k++) {
      FloatVector w0 = f32(tile, place(k, n));
      FloatVector w1 = f32(tile, place(k, n + N));
      FloatVector xa = splat(x[k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      FloatVector xb = splat(x[COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
    }
    a0.intoArray(part, at);
    a1.intoArray(part, at + N);
    b0.intoArray(part, at + WIDE * N);
    b1.intoArray(part, at + WIDE * N + N);
  }
}
