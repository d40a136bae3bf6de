package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The kernels of a format over {@link Interleave interleaved} weights. For {@link #run}, {@code w}
 * of the job starts at a group, {@code rowBytes} is the distance of groups, and activations are
 * int8.
 */
public interface RowLanes extends Dot {
  /** How the weights lie. */
  Interleave layout();

  /**
   * Decodes columns of one group into a tile of float32.
   *
   * @param w interleaved weights
   * @param group where the group starts
   * @param k elements of a row
   * @param column the first column, a multiple of 256
   * @param count how many, whole blocks
   * @param tile receives column {@code c} of the group's rows at {@code to + c · stride}
   * @param to where the first column goes
   * @param stride bytes from one column to the next
   * @param factors as many numbers as in a job, of the worker's own
   */
  void fill(
      MemorySegment w,
      long group,
      int k,
      int column,
      int count,
      MemorySegment tile,
      long to,
      long stride,
      float[] factors);
}
