package dev.quern.cpu.kernel;

import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Weights with one row in each lane of a vector: the same bytes as stored, row next to row word by
 * word, so that no sum crosses lanes, scales need no spreading, and activations are broadcast.
 *
 * <p>Rows are taken in groups of {@link #lanes}. In a group the 32-bit words of a block follow each
 * other, each for all its rows. The one f16 of a format whose blocks are no whole words comes first
 * in the group: a word holds those of two blocks. Rows that are missing in the last group are 0.
 *
 * @param format how weights are stored
 * @param lanes rows in a group
 * @param half where in a block the f16 lies that leaves whole words, or −1
 */
public record Interleave(WeightFormat format, int lanes, int half) {
  private static final ValueLayout.OfInt WORD = RowMath.I32;

  /** Words of a block. */
  public int blockWords() {
    return format.blockBytes() / 4;
  }

  /** Bytes before the words of the first block of a group of rows of {@code k} elements. */
  public long headBytes(long k) {
    return half < 0 ? 0 : 4L * lanes * Math.ceilDiv(k / format.blockElements(), 2L);
  }

  /** Bytes of a group of rows of {@code k} elements. */
  public long groupBytes(long k) {
    return headBytes(k) + 4L * lanes * blockWords() * (k / format.blockElements());
  }

  /** Groups of {@code rows} rows. */
  public long groups(long rows) {
    return Math.ceilDiv(rows, (long) lanes);
  }

  /**
   * Fills one group.
   *
   * @param w weights as stored
   * @param wAt where the first row of the group starts
   * @param rowBytes distance of rows
   * @param rows how many there are, at most {@link #lanes}
   * @param k elements of a row
   * @param target receives the group; zero-filled
   * @param at where it starts
   */
  public void pack(
      MemorySegment w, long wAt, long rowBytes, int rows, int k, MemorySegment target, long at) {
    int blocks = k / format.blockElements();
    long words = at + headBytes(k);
    for (int row = 0; row < rows; row++) {
      long from = wAt + row * rowBytes;
      for (int block = 0; block < blocks; block++) {
        long to = words + 4L * lanes * blockWords() * block + 4L * row;
        words(w, from, target, to);
        if (half >= 0) {
          long place = at + 4L * lanes * (block / 2) + 4L * row + 2L * (block % 2);
          target.set(RowMath.I16, place, w.get(RowMath.I16, from + half));
        }
        from += format.blockBytes();
      }
    }
  }

  private void words(MemorySegment w, long from, MemorySegment target, long to) {
    long skipped = half == 0 ? 2 : 0;
    for (int i = 0; i < blockWords(); i++) {
      target.set(WORD, to + 4L * lanes * i, w.get(WORD, from + skipped + 4L * i));
    }
  }
}
