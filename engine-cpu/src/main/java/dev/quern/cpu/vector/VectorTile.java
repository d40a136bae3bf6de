package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.LaneMath.HALF_BIAS;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Register-blocked products. With 16 lanes four vectors of weights meet six broadcast activations:
 * 24 sums, 4 weights and 1 activation of 32 registers. With fewer lanes two vectors meet four: C2
 * loads activations early, and with more it keeps sums on the stack (40 instead of 85 GFLOP/s).
 *
 * <p>C2 stops inlining in a method that has grown past a fixed number of nodes, and then boxes
 * every vector: 50 times slower. Each access to a segment costs hundreds of nodes, so that
 * activations and sums pass through small arrays here.
 */
final class VectorTile implements Tile {
  /** Vectors of weights side by side. */
  private static final int WIDE = N == 16 ? 4 : 2;

  private static final int PANEL = WIDE * N;

  /** Activation rows that meet a tile at once. */
  private static final int TOGETHER = N == 16 ? 6 : 4;

  private static final Set<WeightFormat> TRANSPOSED =
      Set.of(WeightFormats.F32, WeightFormats.F16, WeightFormats.BF16);

  @Override
  public void multiply(MemorySegment tile, int count, int rows, int tokens, Sums sums) {
    for (int n = 0; n < rows; n += PANEL) {
      for (int t = 0; t < tokens; t += TOGETHER) {
        int group = Math.min(TOGETHER, tokens - t);
        group(tile, Tile.place(0, n, PANEL), count, group, sums, t * COLUMNS);
        add(sums.part, sums.all, t, n, group);
      }
    }
  }

  @Override
  public int panel() {
    return PANEL;
  }

  @Override
  public boolean transposes(WeightFormat format) {
    return TRANSPOSED.contains(format);
  }

  @Override
  public void transpose(
      MemorySegment w,
      long at,
      long stride,
      int rows,
      WeightFormat format,
      int count,
      MemorySegment tile,
      int row,
      Sums sums) {
    int perWord = 4 / format.blockBytes();
    int squares = count / (N * perWord);
    for (int n = 0; n < rows; n += N) {
      int last = Math.min(N, rows - n) - 1;
      Transpose.squares(w, at + n * stride, stride, last, squares, sums.words);
      long to = Tile.place(0, row + n, PANEL);
      if (format.equals(WeightFormats.F32)) {
        f32Columns(sums.words, squares * N, tile, to);
      } else if (format.equals(WeightFormats.F16)) {
        f16Columns(sums.words, squares * N, tile, to);
      } else {
        bf16Columns(sums.words, squares * N, tile, to);
      }
    }
    for (int n = 0; n < rows; n++) {
      for (int k = squares * N * perWord; k < count; k++) {
        format.decode(w, at + n * stride + (long) k * format.blockBytes(), sums.part, 0);
        tile.set(RowMath.F32, Tile.place(k, row + n, PANEL), sums.part[0]);
      }
    }
  }

  private static void f32Columns(int[] words, int count, MemorySegment tile, long to) {
    MemorySegment target = Lanes.offHeap(tile);
    for (int i = 0; i < count; i++) {
      IntVector.fromArray(I, words, N * i).intoMemorySegment(target, to + 4L * PANEL * i, LE);
    }
  }

  /**
   * Two columns to a word, the first in its lower half. What {@link LaneMath#lowHalf} and {@link
   * LaneMath#highHalf} do is written out, so that C2 can leave nothing out of line.
   */
  private static void f16Columns(int[] words, int count, MemorySegment tile, long to) {
    MemorySegment target = Lanes.offHeap(tile);
    for (int i = 0; i < count; i++) {
      IntVector both = IntVector.fromArray(I, words, N * i);
      FloatVector low = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      low.mul(HALF_BIAS).intoMemorySegment(target, to + 8L * PANEL * i, LE);
      FloatVector high = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      high.mul(HALF_BIAS).intoMemorySegment(target, to + 4L * PANEL * (2 * i + 1), LE);
    }
  }

  /** Two columns to a word, the first in its lower half. */
  private static void bf16Columns(int[] words, int count, MemorySegment tile, long to) {
    MemorySegment target = Lanes.offHeap(tile);
    for (int i = 0; i < count; i++) {
      IntVector both = IntVector.fromArray(I, words, N * i);
      both.lanewise(LSHL, 16).intoMemorySegment(target, to + 8L * PANEL * i, LE);
      both.and(0xFFFF0000).intoMemorySegment(target, to + 4L * PANEL * (2 * i + 1), LE);
    }
  }

  private static void group(MemorySegment tile, long at, int count, int group, Sums sums, int xAt) {
    if (group > 2) {
      if (WIDE == 4) {
        six4(tile, at, count, sums.x, xAt, sums.part);
      } else {
        four2(tile, at, count, sums.x, xAt, sums.part);
      }
    } else {
      for (int m = 0; m < WIDE; m += 2) {
        two(tile, at + 4L * m * N, count, sums.x, xAt, sums.part, m * N);
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

  private static void six4(
      MemorySegment tile, long at, int count, float[] x, int xAt, float[] part) {
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
      long place = at + 4L * PANEL * k;
      FloatVector w0 = f32(tile, place);
      FloatVector w1 = f32(tile, place + 4L * N);
      FloatVector w2 = f32(tile, place + 8L * N);
      FloatVector w3 = f32(tile, place + 12L * N);
      FloatVector xa = splat(x[xAt + k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      a2 = w2.fma(xa, a2);
      a3 = w3.fma(xa, a3);
      FloatVector xb = splat(x[xAt + COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      b2 = w2.fma(xb, b2);
      b3 = w3.fma(xb, b3);
      FloatVector xc = splat(x[xAt + 2 * COLUMNS + k]);
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      c2 = w2.fma(xc, c2);
      c3 = w3.fma(xc, c3);
      FloatVector xd = splat(x[xAt + 3 * COLUMNS + k]);
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
      d2 = w2.fma(xd, d2);
      d3 = w3.fma(xd, d3);
      FloatVector xe = splat(x[xAt + 4 * COLUMNS + k]);
      e0 = w0.fma(xe, e0);
      e1 = w1.fma(xe, e1);
      e2 = w2.fma(xe, e2);
      e3 = w3.fma(xe, e3);
      FloatVector xf = splat(x[xAt + 5 * COLUMNS + k]);
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

  private static void four2(
      MemorySegment tile, long at, int count, float[] x, int xAt, float[] part) {
    FloatVector a0 = zero();
    FloatVector a1 = zero();
    FloatVector b0 = zero();
    FloatVector b1 = zero();
    FloatVector c0 = zero();
    FloatVector c1 = zero();
    FloatVector d0 = zero();
    FloatVector d1 = zero();
    for (int k = 0; k < count; k++) {
      long place = at + 4L * PANEL * k;
      FloatVector w0 = f32(tile, place);
      FloatVector w1 = f32(tile, place + 4L * N);
      FloatVector xa = splat(x[xAt + k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      FloatVector xb = splat(x[xAt + COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
      FloatVector xc = splat(x[xAt + 2 * COLUMNS + k]);
      c0 = w0.fma(xc, c0);
      c1 = w1.fma(xc, c1);
      FloatVector xd = splat(x[xAt + 3 * COLUMNS + k]);
      d0 = w0.fma(xd, d0);
      d1 = w1.fma(xd, d1);
    }
    a0.intoArray(part, 0);
    a1.intoArray(part, N);
    b0.intoArray(part, 2 * N);
    b1.intoArray(part, 3 * N);
    c0.intoArray(part, 4 * N);
    c1.intoArray(part, 5 * N);
    d0.intoArray(part, 6 * N);
    d1.intoArray(part, 7 * N);
  }

  private static void two(
      MemorySegment tile, long at, int count, float[] x, int xAt, float[] part, int to) {
    FloatVector a0 = zero();
    FloatVector a1 = zero();
    FloatVector b0 = zero();
    FloatVector b1 = zero();
    for (int k = 0; k < count; k++) {
      long place = at + 4L * PANEL * k;
      FloatVector w0 = f32(tile, place);
      FloatVector w1 = f32(tile, place + 4L * N);
      FloatVector xa = splat(x[xAt + k]);
      a0 = w0.fma(xa, a0);
      a1 = w1.fma(xa, a1);
      FloatVector xb = splat(x[xAt + COLUMNS + k]);
      b0 = w0.fma(xb, b0);
      b1 = w1.fma(xb, b1);
    }
    a0.intoArray(part, to);
    a1.intoArray(part, to + N);
    b0.intoArray(part, to + WIDE * N);
    b1.intoArray(part, to + WIDE * N + N);
  }
}
