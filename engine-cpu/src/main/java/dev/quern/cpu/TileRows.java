package dev.quern.cpu;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.Tile;
import dev.quern.cpu.kernel.Unpack;
import java.lang.foreign.MemorySegment;

/**
 * Fills a tile with rows as they are stored; formats that it cannot transpose are decoded first.
 */
final class TileRows {
  /** What {@link #fill} needs of a worker's scratch memory, the tile included. */
  static final long SCRATCH = Tile.BYTES + Tile.STAGING_BYTES;

  private final Tile tile;
  private final WeightFormat format;
  private final Unpack unpack;

  TileRows(Kernels kernels, WeightFormat format) {
    tile = kernels.tile();
    unpack = kernels.unpack(format);
    this.format = format;
  }

  /** The tile in a worker's scratch memory. */
  static MemorySegment tile(Worker worker) {
    return worker.scratch.asSlice(0, Tile.BYTES);
  }

  /**
   * Makes rows the rows of the worker's tile.
   *
   * @param w the rows
   * @param at where the first one starts
   * @param stride bytes from one row to the next
   * @param rows how many
   * @param columns how many of each
   * @param worker whose tile and scratch memory it is
   */
  void fill(MemorySegment w, long at, long stride, int rows, int columns, Worker worker) {
    MemorySegment target = tile(worker);
    MemorySegment staging = worker.scratch.asSlice(Tile.BYTES, Tile.STAGING_BYTES);
    Tile.Sums sums = worker.sums;
    for (int n = 0; n < rows; n += Tile.BAND) {
      int band = Math.min(Tile.BAND, rows - n);
      long from = at + n * stride;
      if (tile.transposes(format)) {
        tile.transpose(w, from, stride, band, format, columns, target, n, sums);
      } else {
        for (int i = 0; i < band; i++) {
          unpack.run(w, from + i * stride, columns, staging, Tile.STAGING_ROW * i, sums.part);
        }
        tile.transpose(
            staging, 0, Tile.STAGING_ROW, band, WeightFormats.F32, columns, target, n, sums);
      }
    }
  }
}
