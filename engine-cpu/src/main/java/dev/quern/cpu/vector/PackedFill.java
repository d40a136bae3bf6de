package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.store;
import static dev.quern.cpu.vector.Lanes.toFloat;

import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Fills tiles with weights that are transposed while they are packed, which is four to eight times
 * less to move, and decoded with one weight row in each lane. For 16 lanes.
 *
 * <p>The bytes of 16 rows are gathered in the staging memory, one row to {@link Tile#COLUMNS}
 * words: packed weights first, from {@link #FACTORS} on the scales.
 */
final class PackedFill {
  /** The first word of scales in a row of the staging memory, and in the transposed words. */
  private static final int FACTORS = 64;

  private PackedFill() {}

  static void q4k(
      MemorySegment w,
      long wAt,
      long rowBytes,
      int rows,
      int count,
      MemorySegment tile,
      MemorySegment staging,
      Tile.Sums sums) {
    for (int n = 0; n < rows; n += 16) {
      for (int i = 0; i < 16; i++) {
        long at = wAt + Math.min(n + i, rows - 1) * rowBytes;
        long to = 4L * Tile.COLUMNS * i;
        copy(w, at + 16, staging, to);
        copy(w, at + 80, staging, to + 64);
        KBlock.factors(w, at, sums.part);
        store(FloatVector.fromArray(F, sums.part, 0), staging, to + 4 * FACTORS);
      }
      transpose(staging, 2, sums);
      for (int j = 0; j < 32; j++) {
        q4kWord(sums.x, j, tile, 4L * n);
      }
    }
  }

  /** Four bytes of 16 rows: eight weights of each. */
  private static void q4kWord(float[] words, int j, MemorySegment tile, long to) {
    IntVector q = word(words, j);
    int part = j / 8 * 2;
    FloatVector low = column(words, FACTORS + part);
    FloatVector lowMin = column(words, FACTORS + 8 + part).neg();
    FloatVector high = column(words, FACTORS + 1 + part);
    FloatVector highMin = column(words, FACTORS + 9 + part).neg();
    long at = to + 4L * Tile.ROWS * (64 * (j / 8) + 4 * (j % 8));
    for (int b = 0; b < 4; b++) {
      FloatVector one = toFloat(q.and(15)).fma(low, lowMin);
      FloatVector two = toFloat(shift(q, 4).and(15)).fma(high, highMin);
      store(one, tile, at);
      store(two, tile, at + 128L * Tile.ROWS);
      q = shift(q, 8);
      at += 4L * Tile.ROWS;
    }
  }

  static void q4(
      MemorySegment w,
      long wAt,
      long rowBytes,
      int rows,
      int count,
      MemorySegment tile,
      MemorySegment staging,
      Tile.Sums sums) {
    for (int n = 0; n < rows; n += 16) {
      for (int i = 0; i < 16; i++) {
        long at = wAt + Math.min(n + i, rows - 1) * rowBytes;
        long to = 4L * Tile.COLUMNS * i;
        for (int block = 0; block < count / 32; block++) {
          MemorySegment.copy(w, at + 18L * block + 2, staging, to + 16L * block, 16);
          scale(w, at + 18L * block, staging, to, block);
        }
      }
      transpose(staging, Math.ceilDiv(count, 128), sums);
      for (int j = 0; j < count / 8; j++) {
        q4Word(sums.x, j, tile, 4L * n);
      }
    }
  }

  private static void q4Word(float[] words, int j, MemorySegment tile, long to) {
    IntVector q = word(words, j);
    FloatVector d = column(words, FACTORS + j / 4);
    FloatVector offset = d.mul(-8);
    long at = to + 4L * Tile.ROWS * (32 * (j / 4) + 4 * (j % 4));
    for (int b = 0; b < 4; b++) {
      store(toFloat(q.and(15)).fma(d, offset), tile, at);
      store(toFloat(shift(q, 4).and(15)).fma(d, offset), tile, at + 64L * Tile.ROWS);
      q = shift(q, 8);
      at += 4L * Tile.ROWS;
    }
  }

  static void q8(
      MemorySegment w,
      long wAt,
      long rowBytes,
      int rows,
      int count,
      MemorySegment tile,
      MemorySegment staging,
      Tile.Sums sums) {
    for (int n = 0; n < rows; n += 16) {
      for (int i = 0; i < 16; i++) {
        long at = wAt + Math.min(n + i, rows - 1) * rowBytes;
        long to = 4L * Tile.COLUMNS * i;
        for (int block = 0; block < count / 32; block++) {
          MemorySegment.copy(w, at + 34L * block + 2, staging, to + 32L * block, 32);
          scale(w, at + 34L * block, staging, to, block);
        }
      }
      transpose(staging, Math.ceilDiv(count, 64), sums);
      for (int j = 0; j < count / 4; j++) {
        q8Word(sums.x, j, tile, 4L * n + 16L * Tile.ROWS * j);
      }
    }
  }

  private static void q8Word(float[] words, int j, MemorySegment tile, long at) {
    IntVector q = word(words, j);
    FloatVector d = column(words, FACTORS + j / 8);
    for (int b = 0; b < 4; b++) {
      IntVector left = q.lanewise(VectorOperators.LSHL, 24 - 8 * b);
      store(toFloat(left.lanewise(VectorOperators.ASHR, 24)).mul(d), tile, at);
      at += 4L * Tile.ROWS;
    }
  }

  static void tq2(
      MemorySegment w,
      long wAt,
      long rowBytes,
      int rows,
      int count,
      MemorySegment tile,
      MemorySegment staging,
      Tile.Sums sums) {
    for (int n = 0; n < rows; n += 16) {
      for (int i = 0; i < 16; i++) {
        long at = wAt + Math.min(n + i, rows - 1) * rowBytes;
        long to = 4L * Tile.COLUMNS * i;
        copy(w, at, staging, to);
        scale(w, at + 64, staging, to, 0);
      }
      transpose(staging, 1, sums);
      for (int j = 0; j < 16; j++) {
        tq2Word(sums.x, j, tile, 4L * n);
      }
    }
  }

  private static void tq2Word(float[] words, int j, MemorySegment tile, long to) {
    IntVector q = word(words, j);
    FloatVector d = column(words, FACTORS);
    FloatVector offset = d.neg();
    long at = to + 4L * Tile.ROWS * (128 * (j / 8) + 4 * (j % 8));
    for (int b = 0; b < 4; b++) {
      for (int p = 0; p < 4; p++) {
        store(toFloat(q.and(3)).fma(d, offset), tile, at + 128L * Tile.ROWS * p);
        q = shift(q, 2);
      }
      at += 4L * Tile.ROWS;
    }
  }

  /** Transposes some groups of 16 packed words, and the factors. */
  private static void transpose(MemorySegment staging, int groups, Tile.Sums sums) {
    for (int g = 0; g < groups; g++) {
      Transpose.block(staging, 64L * g, sums.part, sums.x, 256 * g);
    }
    Transpose.block(staging, 4L * FACTORS, sums.part, sums.x, 16 * FACTORS);
  }

  private static void copy(MemorySegment w, long at, MemorySegment staging, long to) {
    store(f32(w, at), staging, to);
  }

  private static void scale(MemorySegment w, long at, MemorySegment staging, long to, int block) {
    staging.set(RowMath.F32, to + 4L * (FACTORS + block), Lanes.half(w, at));
  }

  private static FloatVector column(float[] words, int column) {
    return FloatVector.fromArray(F, words, 16 * column);
  }

  private static IntVector word(float[] words, int column) {
    return column(words, column).reinterpretAsInts();
  }

  private static IntVector shift(IntVector q, int bits) {
    return q.lanewise(VectorOperators.LSHR, bits);
  }
}
