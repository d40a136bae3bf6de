package dev.quern.cpu.kernel;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Products of many activation rows with a tile of weights: the shape of a prompt, bound by
 * arithmetic. Lanes are output rows, so no sum crosses lanes, and activations are broadcast.
 */
public interface Tile {
  /** Weight rows of a tile. */
  int ROWS = 128;

  /** The most columns of a tile: one block of the formats with the largest blocks. */
  int COLUMNS = 256;

  /** Weight rows that are decoded together. */
  int BAND = 16;

  /** The most activation rows that meet a tile at once; there is memory for a multiple. */
  int TOKENS = 12;

  /** Bytes of a tile. */
  long BYTES = 4L * ROWS * COLUMNS;

  /** Bytes of a row that was decoded to be transposed. */
  long STAGING_ROW = 4L * COLUMNS;

  /** Bytes that filling a tile needs besides. */
  long STAGING_BYTES = BAND * STAGING_ROW;

  /**
   * Rows of a panel: a tile is a panel after the other, and in a panel lies column after column, so
   * that the inner loop reads on and on.
   */
  int panel();

  /** Where a weight lies in a tile of panels of {@code panel} rows. */
  static long place(int column, int row, int panel) {
    return 4L * (row / panel * panel * COLUMNS + column * panel + row % panel);
  }

  /** Whether {@link #transpose} takes rows of this format as they are stored; F32 always. */
  default boolean transposes(WeightFormat format) {
    return format.equals(WeightFormats.F32);
  }

  /**
   * Makes rows of numbers the rows of a tile, in which they lie column by column. Rows of the tile
   * that follow them are left with anything.
   *
   * @param w the rows
   * @param at where the first one starts
   * @param stride bytes from one row to the next
   * @param rows how many, at most {@link #BAND}
   * @param format of the numbers, one that {@link #transposes} takes
   * @param count columns
   * @param tile receives them as float32
   * @param row number of the first row in the tile
   * @param sums memory of the worker
   */
  default void transpose(
      MemorySegment w,
      long at,
      long stride,
      int rows,
      WeightFormat format,
      int count,
      MemorySegment tile,
      int row,
      Sums sums) {
    for (int n = 0; n < rows; n++) {
      for (int k = 0; k < count; k++) {
        tile.set(
            RowMath.F32, place(k, row + n, panel()), w.get(RowMath.F32, at + n * stride + 4L * k));
      }
    }
  }

  /**
   * {@code c[t, n] += Σₖ x[t, k] · tile[k, n]}.
   *
   * @param tile weights in panels
   * @param count columns
   * @param rows weight rows n, at most {@link #ROWS}
   * @param tokens activation rows
   * @param sums has the activations and receives the sums
   */
  void multiply(MemorySegment tile, int count, int rows, int tokens, Sums sums);

  /** Memory of a worker on the heap. */
  final class Sums {
    /** The sums {@code c}, {@code [tokens, ROWS]}. */
    public final float[] all;

    /** Activations in use, {@code [tokens, COLUMNS]}. */
    public final float[] x;

    /** Sums in use. */
    public final float[] part = new float[TOKENS * ROWS];

    /** Words that are being transposed: rows, or some of them, of a band. */
    public final int[] words = new int[BAND * COLUMNS];

    /** Makes room for some tokens. */
    public Sums(int tokens) {
      all = new float[tokens * ROWS];
      x = new float[Math.ceilDiv(tokens, TOKENS) * TOKENS * COLUMNS];
    }

    /**
     * Takes {@code count} columns of activation rows.
     *
     * @param from activations
     * @param at where the first column of the first row lies
     * @param stride bytes from one row to the next
     * @param token number of the first row here
     * @param tokens rows
     */
    public void take(MemorySegment from, long at, long stride, int token, int tokens, int count) {
      for (int t = 0; t < tokens; t++) {
        MemorySegment.copy(from, RowMath.F32, at + t * stride, x, (token + t) * COLUMNS, count);
      }
    }

    /** Sets the sums of the first {@code tokens} to zero. */
    public void clear(int tokens) {
      Arrays.fill(all, 0, tokens * ROWS, 0);
    }
  }
}
