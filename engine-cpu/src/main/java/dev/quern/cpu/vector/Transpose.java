package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.store;

import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes 16 by 16 numbers: in the step of distance s, lanes of a and b whose number has bit s
 * set and unset change places. Two steps at a time run on four vectors in registers.
 */
final class Transpose {
  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);
  private static final VectorMask<Float> BIT_8 = bit(8);
  private static final VectorMask<Float> BIT_4 = bit(4);
  private static final VectorMask<Float> BIT_2 = bit(2);
  private static final VectorMask<Float> BIT_1 = bit(1);

  private Transpose() {}

  /**
   * Transposes 16 rows into columns of a tile.
   *
   * @param rows 16 rows of {@link Tile#COLUMNS} float32
   * @param at where column 0 to be moved lies in the first row
   * @param part room for 256 numbers
   * @param tile receives the columns
   * @param to where the first column goes
   */
  static void block(MemorySegment rows, long at, float[] part, MemorySegment tile, long to) {
    for (int i = 0; i < 4; i++) {
      far(rows, at + 4L * Tile.COLUMNS * i, part, i);
    }
    for (int i = 0; i < 4; i++) {
      near(part, 4 * i, tile, to + 16L * Tile.ROWS * i);
    }
  }

  private static void far(MemorySegment rows, long at, float[] part, int i) {
    long stride = 16L * Tile.COLUMNS;
    FloatVector a = f32(rows, at);
    FloatVector b = f32(rows, at + stride);
    FloatVector c = f32(rows, at + 2 * stride);
    FloatVector d = f32(rows, at + 3 * stride);
    FloatVector e = a.blend(c.rearrange(SWAP_8), BIT_8);
    FloatVector f = b.blend(d.rearrange(SWAP_8), BIT_8);
    FloatVector g = a.rearrange(SWAP_8).blend(c, BIT_8);
    FloatVector h = b.rearrange(SWAP_8).blend(d, BIT_8);
    e.blend(f.rearrange(SWAP_4), BIT_4).intoArray(part, 16 * i);
    e.rearrange(SWAP_4).blend(f, BIT_4).intoArray(part, 16 * (i + 4));
    g.blend(h.rearrange(SWAP_4), BIT_4).intoArray(part, 16 * (i + 8));
    g.rearrange(SWAP_4).blend(h, BIT_4).intoArray(part, 16 * (i + 12));
  }

  private static void near(float[] part, int i, MemorySegment tile, long to) {
    FloatVector a = FloatVector.fromArray(F, part, 16 * i);
    FloatVector b = FloatVector.fromArray(F, part, 16 * (i + 1));
    FloatVector c = FloatVector.fromArray(F, part, 16 * (i + 2));
    FloatVector d = FloatVector.fromArray(F, part, 16 * (i + 3));
    FloatVector e = a.blend(c.rearrange(SWAP_2), BIT_2);
    FloatVector f = b.blend(d.rearrange(SWAP_2), BIT_2);
    FloatVector g = a.rearrange(SWAP_2).blend(c, BIT_2);
    FloatVector h = b.rearrange(SWAP_2).blend(d, BIT_2);
    store(e.blend(f.rearrange(SWAP_1), BIT_1), tile, to);
    store(e.rearrange(SWAP_1).blend(f, BIT_1), tile, to + 4L * Tile.ROWS);
    store(g.blend(h.rearrange(SWAP_1), BIT_1), tile, to + 8L * Tile.ROWS);
    store(g.rearrange(SWAP_1).blend(h, BIT_1), tile, to + 12L * Tile.ROWS);
  }

  /**
   * Transposes 16 rows into an array.
   *
   * @param rows 16 rows of {@link Tile#COLUMNS} numbers of 32 bits, whatever they mean
   * @param at where column 0 to be moved lies in the first row
   * @param part room for 256 numbers
   * @param target receives 16 columns of 16
   * @param to index of the first
   */
  static void block(MemorySegment rows, long at, float[] part, float[] target, int to) {
    for (int i = 0; i < 4; i++) {
      far(rows, at + 4L * Tile.COLUMNS * i, part, i);
    }
    for (int i = 0; i < 4; i++) {
      near(part, 4 * i, target, to + 64 * i);
    }
  }

  private static void near(float[] part, int i, float[] target, int to) {
    FloatVector a = FloatVector.fromArray(F, part, 16 * i);
    FloatVector b = FloatVector.fromArray(F, part, 16 * (i + 1));
    FloatVector c = FloatVector.fromArray(F, part, 16 * (i + 2));
    FloatVector d = FloatVector.fromArray(F, part, 16 * (i + 3));
    FloatVector e = a.blend(c.rearrange(SWAP_2), BIT_2);
    FloatVector f = b.blend(d.rearrange(SWAP_2), BIT_2);
    FloatVector g = a.rearrange(SWAP_2).blend(c, BIT_2);
    FloatVector h = b.rearrange(SWAP_2).blend(d, BIT_2);
    e.blend(f.rearrange(SWAP_1), BIT_1).intoArray(target, to);
    e.rearrange(SWAP_1).blend(f, BIT_1).intoArray(target, to + 16);
    g.blend(h.rearrange(SWAP_1), BIT_1).intoArray(target, to + 32);
    g.rearrange(SWAP_1).blend(h, BIT_1).intoArray(target, to + 48);
  }

  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, i -> (i ^ distance) % N);
  }

  private static VectorMask<Float> bit(int distance) {
    boolean[] set = new boolean[N];
    for (int i = 0; i < N; i++) {
      set[i] = (i & distance) != 0;
    }
    return VectorMask.fromArray(F, set, 0);
  }
}
