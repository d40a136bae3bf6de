package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/**
 * {@code y[n] = Σₖ x[k] · w[n, k]} for some rows {@code n} of a weight matrix as stored: the shape
 * of a decode step, bound by the reading of the weights.
 *
 * <p>Numbers: float32 products and sums, spread over the lanes of several accumulators, so the
 * error is far below {@code K · ε · Σ|xₖ·wₖ|}.
 */
public interface Dot {
  /** What {@link Job#side} must be of the activations. */
  Side.Form form();

  /** Rows that are best taken together. */
  default int rows() {
    return 1;
  }

  /** Computes {@link Job#rows} results. */
  void run(Job job);

  /**
   * The operands of a call. One object per worker is filled again and again: a record would be an
   * allocation for each share of work.
   */
  final class Job {
    /**
     * Elements that follow what is used of the arrays here. They are written all the time; those of
     * two workers lie side by side on the heap and must not share a cache line.
     */
    private static final int PAD = 64;

    /** Rows that a kernel takes at once, at most: four vectors of shorts. */
    private static final int ROWS = 4 * 32;

    /** The most products of a row at once: enough for a long loop, few enough for the cache. */
    private static final int PRODUCTS = 96;

    /** The weights, row by row. */
    public MemorySegment w = MemorySegment.NULL;

    /** Where the first row starts. */
    public long wAt;

    /** Distance of rows. */
    public long rowBytes;

    /** Rows to compute. */
    public int rows;

    /** Elements of a row. */
    public int k;

    /** The activations, float32. */
    public MemorySegment x = MemorySegment.NULL;

    /** Where they start. */
    public long xAt;

    /** What the kernel wants of the activations besides. */
    public Side side = new Side(Side.Form.NONE, 0, 0);

    /** Where its factors start. */
    public int factorsAt;

    /** Where its starts start. */
    public int startsAt;

    /** Where its numbers start. */
    public int numbersAt;

    /** The results, float32. */
    public MemorySegment y = MemorySegment.NULL;

    /** Where the first result goes. */
    public long yAt;

    /** Factors of the parts of a block, for a group of rows. */
    public final float[] factors = new float[16 * 64 + PAD];

    /** Results of rows taken at once. */
    public final float[] sums = new float[ROWS + PAD];

    /** Products of the parts of a block, for a group of rows. */
    public final int[] parts = new int[8 * 32 + PAD];

    /** Products of shorts of weights and their activations, for all rows taken at once. */
    public final short[] products = new short[PRODUCTS * ROWS + PAD];

    /** Scales, two shorts to an int, for all rows taken at once. */
    public final int[] scales = new int[10 * ROWS / 2 + PAD];

    /** At least {@code 4 * k} bytes of the worker's own. */
    public MemorySegment scratch = MemorySegment.NULL;

    /** Stores the results of {@code lanes} rows from row {@code n} on, if there are so many. */
    public void store(int n, int lanes) {
      MemorySegment.copy(sums, 0, y, RowMath.F32, yAt + 4L * n, Math.min(lanes, rows - n));
    }
  }
}
