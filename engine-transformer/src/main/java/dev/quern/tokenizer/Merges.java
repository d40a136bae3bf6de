package dev.quern.tokenizer;

import java.util.Arrays;

/** The merge rules of a byte-level BPE: which pairs of symbols join, in which order, to what. */
final class Merges {
  static final int ABSENT = -1;
  private static final long FREE = -1;

  private final long[] keys;
  private final int[] ranks;
  private final int[] joined;

  /** Room for {@code count} rules. */
  Merges(int count) {
    int slots = Integer.highestOneBit(Math.max(64, count)) << 2;
    keys = new long[slots];
    ranks = new int[slots];
    joined = new int[count];
    Arrays.fill(keys, FREE);
  }

  /** Adds rule {@code rank}; a pair that has a rule keeps it. */
  void add(int rank, int left, int right, int result) {
    int slot = slot(left, right);
    if (keys[slot] == FREE) {
      keys[slot] = key(left, right);
      ranks[slot] = rank;
      joined[rank] = result;
    }
  }

  /** The rank of the rule for a pair, lower first, or {@link #ABSENT}. */
  int rank(int left, int right) {
    int slot = slot(left, right);
    return keys[slot] == FREE ? ABSENT : ranks[slot];
  }

  /** What the rule {@code rank} makes. */
  int joined(int rank) {
    return joined[rank];
  }

  private int slot(int left, int right) {
    long key = key(left, right);
    long mixed = key * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 32) & (keys.length - 1);
    while (keys[slot] != FREE && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }
}
