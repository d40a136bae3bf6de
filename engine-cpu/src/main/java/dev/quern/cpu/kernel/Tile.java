package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Products of many activation rows with a tile of weights: the shape of a prompt, bound by
 * arithmetic. Lanes are output rows, so no sum crosses lanes, and activations are broadcast.
 */
public interface Tile {
  /** Weight rows of a tile. */
  int ROWS = 64;

  /** The most columns of a tile: one block of the formats with the largest blocks. */
  int COLUMNS = 256;

  /** Bytes of a tile. */
  long BYTES = 4L * ROWS * COLUMNS;

  /** Bytes that filling a tile needs besides. */
  long STAGING_BYTES = 4L * ROWS * COLUMNS;

  /** Transposes {@code count} columns of one row of weights into column {@code row} of the tile. */
  default void column(MemorySegment values, int count, MemorySegment tile, int row) {
    for (int k = 0; k < count; k++) {
      float value = values.get(RowMath.F32, 4L * k);
      tile.set(RowMath.F32, 4L * (k * ROWS + row), value);
    }
  }

  /**
   * {@code c[t, n] += Σₖ x[t, k] · tile[k, n]} for {@link #ROWS} rows n.
   *
   * @param tile weights, {@code [count, ROWS]}
   * @param count columns
   * @param x activations
   * @param xAt where column 0 of the first activation row lies
   * @param xStride bytes from one activation row to the next
   * @param tokens activation rows
   * @param c sums, {@code [tokens, ROWS]}
   */
  void multiply(
      MemorySegment tile,
      int count,
      MemorySegment x,
      long xAt,
      long xStride,
      int tokens,
      MemorySegment c);
}
