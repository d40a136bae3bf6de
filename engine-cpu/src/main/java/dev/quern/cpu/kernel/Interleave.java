package dev.quern.cpu.kernel;

import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Weights with one row in each 16-bit lane of a vector, so that no sum crosses lanes, scales need
 * no spreading, and activations are broadcast. Lanes of 16 bits, because that is what integer
 * products of weights fit.
 *
 * <p>Rows are taken in groups of {@link #lanes}. A line is one short of each row of a group; the
 * two halves of the 32-bit lane i belong to the rows {@code i} and {@code i + lanes / 2}. Blocks
 * are taken in chunks: first come the lines of numbers of all its blocks, through which a kernel
 * runs in one long loop, then their lines of scales, which are read next and so are on their way
 * from memory. Rows that are missing in the last group are 0.
 *
 * @param format how weights are stored
 * @param lanes rows in a group
 * @param head shorts of a row that hold the scales of a block
 * @param body shorts of a row that hold the numbers of a block
 * @param chunk blocks of a chunk, but for the last
 * @param packer takes a block apart
 */
public record Interleave(
    WeightFormat format, int lanes, int head, int body, int chunk, Packer packer) {
  /** Takes a stored block apart. */
  @FunctionalInterface
  public interface Packer {
    /**
     * Fills the shorts of the head, then those of the body.
     *
     * @param w weights as stored
     * @param at where the block starts
     * @param shorts receives them
     */
    void take(MemorySegment w, long at, short[] shorts);
  }

  /** Blocks in the chunk of a block of rows of {@code k} elements. */
  public int count(int k, int block) {
    return Math.min(chunk, k / format.blockElements() - block / chunk * chunk);
  }

  /** Where in a group the numbers of a block lie. */
  public long bodyAt(int block) {
    return 2L * lanes * (block / chunk * chunk * (head + body) + block % chunk * body);
  }

  /** Where in a group of rows of {@code k} elements the scales of a block lie. */
  public long headAt(int k, int block) {
    int first = block / chunk * chunk;
    return 2L * lanes * (first * (head + body) + count(k, block) * body + (block - first) * head);
  }

  /** Bytes of a group of rows of {@code k} elements. */
  public long groupBytes(long k) {
    return 2L * lanes * (head + body) * (k / format.blockElements());
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
    long line = 2L * lanes;
    short[] shorts = new short[head + body];
    for (int row = 0; row < rows; row++) {
      long place = at + (row < lanes / 2 ? 4L * row : 4L * row - line + 2);
      long from = wAt + row * rowBytes;
      for (int block = 0; block < blocks; block++) {
        packer.take(w, from, shorts);
        put(shorts, 0, head, target, place + headAt(k, block));
        put(shorts, head, body, target, place + bodyAt(block));
        from += format.blockBytes();
      }
    }
  }

  private void put(short[] shorts, int first, int count, MemorySegment target, long at) {
    for (int i = 0; i < count; i++) {
      target.set(RowMath.I16, at + 2L * lanes * i, shorts[first + i]);
    }
  }
}
