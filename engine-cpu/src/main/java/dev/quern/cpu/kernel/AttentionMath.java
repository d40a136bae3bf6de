package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** The two products of attention, over keys and values of one head in the cache. */
public interface AttentionMath {
  /**
   * Scores: {@code scores[j] = scale · Σᵢ q[i] · keys[j, i]}.
   *
   * @param cache one head of keys or values
   * @param q the query, float32
   * @param qAt where it starts
   * @param scale factor of the sum
   * @param scores receives float32, one a position
   * @param at where the first score goes
   */
  void scores(Cache cache, MemorySegment q, long qAt, float scale, MemorySegment scores, long at);

  /**
   * {@code y[i] = factor · Σⱼ weights[j] · values[j, i]}.
   *
   * @param cache one head of values
   * @param weights float32, one a position
   * @param at where the first weight lies
   * @param factor factor of the sum
   * @param y result, float32
   * @param yAt where it goes
   */
  void weighted(
      Cache cache, MemorySegment weights, long at, float factor, MemorySegment y, long yAt);

  /**
   * A head in the cache. One object per worker is filled again and again, as for {@link Dot.Job}.
   */
  final class Cache {
    /** The cache. */
    public MemorySegment bytes = MemorySegment.NULL;

    /** Where the head's vector at the first position starts. */
    public long at;

    /** Bytes from one position to the next. */
    public long stride;

    /** Positions. */
    public int positions;

    /** Elements of the head. */
    public int size;

    /** Whether elements are f16, else float32. */
    public boolean half;
  }
}
