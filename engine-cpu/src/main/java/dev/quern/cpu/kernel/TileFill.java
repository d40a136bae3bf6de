package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Decodes part of some rows of a weight matrix into a {@link Tile}. */
@FunctionalInterface
public interface TileFill {
  /**
   * Decodes {@code count} columns of {@code rows} rows: the value of row n and column k goes to
   * {@code tile[k · ROWS + n]}. Rows from {@code rows} to {@link Tile#ROWS} are left as they are.
   *
   * @param w the stored weights
   * @param wAt where the first column wanted of the first row starts
   * @param rowBytes distance of rows
   * @param rows rows, at most {@link Tile#ROWS}
   * @param count columns, whole blocks, at most {@link Tile#COLUMNS}
   * @param tile receives float32
   * @param staging {@link Tile#STAGING_BYTES} bytes of the worker's own
   * @param sums memory of the worker on the heap
   */
  void run(
      MemorySegment w,
      long wAt,
      long rowBytes,
      int rows,
      int count,
      MemorySegment tile,
      MemorySegment staging,
      Tile.Sums sums);
}
