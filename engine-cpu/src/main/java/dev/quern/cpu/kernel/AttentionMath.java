package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention by the query heads that share a cached head: {@code y = Σⱼ e^(scoreⱼ − max) · valueⱼ}
 * and {@code sum = Σⱼ e^(scoreⱼ − max)}, grown part by part of the sequence, so that keys and
 * values are read once for all these heads and scores stay in the first-level cache. What was
 * summed is multiplied by {@code e^(max − newMax)} where a part has a larger score (<a
 * href="https://arxiv.org/abs/1805.02867">Milakov and Gimelshein 2018</a>).
 */
public interface AttentionMath {
  /**
   * The most positions of a part: few, so that a part of all cached heads, which is read at once as
   * it lies in memory, stays in the second-level cache.
   */
  int PART = 64;

  /** Query heads that meet a key at once; there is memory for a multiple. */
  int HEADS = 4;

  /**
   * Takes {@link Job#heads} queries of {@link Job#size} float32 that lie one behind the other, for
   * {@link Job#group}; no position is summed yet.
   */
  void begin(Job job, MemorySegment q, long qAt);

  /** Adds {@link Job#positions} positions to the sums of the group, at most {@link #PART}. */
  void add(Job job);

  /** Stores {@code factors[h] · y[h]} of the group, head behind head. */
  void end(Job job, MemorySegment y, long yAt);

  /** {@code x = softCap · tanh(x / softCap)}, for multiples of 16 elements. */
  void cap(float[] x, int at, int n, float softCap);

  /** The largest of a multiple of 16 elements. */
  float max(float[] x, int at, int n);

  /** {@code y = e^(x − max)}, 0 where x is −∞; returns the sum. For multiples of 16 elements. */
  float exponentials(float[] x, int at, int n, float max, float[] y, int yAt);

  /** {@code x = factor · x}. */
  void scale(float[] x, int at, int n, float factor);

  /**
   * The operands and sums of one row. Query heads that share a cached head are a group; groups are
   * summed in turn. One object per worker is filled again and again, as for {@link Dot.Job}.
   */
  final class Job {
    /** Elements behind what is used, so that two workers' arrays share no cache line. */
    private static final int PAD = 64;

    /** The cache of keys. */
    public MemorySegment keys = MemorySegment.NULL;

    /** Where the head's key at the first position starts. */
    public long keysAt;

    /** The cache of values. */
    public MemorySegment values = MemorySegment.NULL;

    /** Where the head's value at the first position starts. */
    public long valuesAt;

    /** Bytes from one position to the next. */
    public long stride;

    /** Positions to add. */
    public int positions;

    /** Elements of a head. */
    public int size;

    /** Query heads of a group. */
    public int heads;

    /** Number of the group. */
    public int group;

    /** What comes of numbers that were only read so that they are in the cache. */
    public long touched;

    /** Whether elements are f16, else float32. */
    public boolean half;

    /** Factor of the scores. */
    public float scale;

    /** Bound of the scores; 0 for none. */
    public float softCap;

    /** The largest score of each head so far. */
    public float[] max = {};

    /** The sum of each head so far. */
    public float[] sum = {};

    /** By what the results of each head are multiplied. */
    public float[] factors = {};

    /** Queries, as the kernel wants them. */
    public float[] q = {};

    /** Scores of a part, as the kernel wants them. */
    public float[] scores = {};

    /** Sums of values, as the kernel wants them. */
    public float[] y = {};

    /** Sums in use. */
    public final float[] part = new float[32 * HEADS * 16 + PAD];

    /**
     * Grows the arrays.
     *
     * @param wantedHeads query heads of a group
     * @param groups groups
     * @param wantedSize elements of a head
     * @param tokens how many largest scores and sums are wanted besides those of the heads
     */
    public void reserve(int wantedHeads, int groups, int wantedSize, int tokens) {
      int scored = Math.ceilDiv(wantedHeads, HEADS) * HEADS;
      int room = groups * scored;
      int numbers = Math.max(room, tokens) + PAD;
      if (max.length < numbers) {
        max = new float[numbers];
        sum = new float[numbers];
        factors = new float[numbers];
      }
      if (scores.length < scored * PART + PAD) {
        scores = new float[scored * PART + PAD];
      }
      if (q.length < room * wantedSize + PAD) {
        q = new float[room * wantedSize + PAD];
        y = new float[room * wantedSize + PAD];
      }
    }

    /**
     * Number of the group's first head in arrays of heads, each group having a multiple of four.
     */
    public int head() {
      return group * room();
    }

    /** Sets the sums of the group to those of no position. */
    public void clear() {
      int from = head();
      int to = from + room();
      Arrays.fill(max, from, to, Float.NEGATIVE_INFINITY);
      Arrays.fill(sum, from, to, 0);
      Arrays.fill(y, from * size, to * size, 0);
    }

    private int room() {
      return Math.ceilDiv(heads, HEADS) * HEADS;
    }
  }
}
