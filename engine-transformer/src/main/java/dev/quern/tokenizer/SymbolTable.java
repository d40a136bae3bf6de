package dev.quern.tokenizer;

import java.util.Arrays;

/**
 * Byte strings numbered from 0, and an index over some of them. The strings of a vocabulary come
 * first; a symbol's number is its token's id.
 *
 * <p>One pool of bytes instead of an object each: a vocabulary of 150,000 tokens and 280,000 merges
 * is looked up some million times when it is loaded.
 */
final class SymbolTable {
  static final int ABSENT = -1;

  private byte[] pool = new byte[1 << 12];
  private int[] starts = new int[1 << 8];
  private int count;
  private int longest;
  private int[] slots = new int[1 << 8];
  private int indexed;

  /** Makes room for {@code expected} symbols. */
  SymbolTable(int expected) {
    starts = new int[expected + 2];
    slots = newSlots(Integer.highestOneBit(Math.max(64, expected)) << 2);
  }

  int size() {
    return count;
  }

  /** The length of the longest indexed symbol. */
  int longest() {
    return longest;
  }

  /** Appends a symbol that is not indexed yet and returns its number. */
  int append(byte[] bytes, int from, int to) {
    int start = starts[count];
    int end = start + to - from;
    if (end > pool.length) {
      pool = Arrays.copyOf(pool, Math.max(end, pool.length * 2));
    }
    System.arraycopy(bytes, from, pool, start, to - from);
    if (count + 2 > starts.length) {
      starts = Arrays.copyOf(starts, starts.length * 2);
    }
    starts[count + 1] = end;
    return count++;
  }

  /** Indexes {@code symbol}; of equal ones the first that was indexed is found. */
  void index(int symbol) {
    if (2 * (indexed + 1) > slots.length) {
      grow();
    }
    if (insert(symbol)) {
      indexed++;
      longest = Math.max(longest, starts[symbol + 1] - starts[symbol]);
    }
  }

  /**
   * The indexed symbol with the bytes {@code from} (inclusive) to {@code to}, or {@link #ABSENT}.
   */
  int find(byte[] bytes, int from, int to) {
    if (to - from > longest) {
      return ABSENT;
    }
    int slot = hash(bytes, from, to) & (slots.length - 1);
    while (slots[slot] != ABSENT) {
      int symbol = slots[slot];
      if (Arrays.equals(pool, starts[symbol], starts[symbol + 1], bytes, from, to)) {
        return symbol;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    return ABSENT;
  }

  /** The indexed symbol with these bytes, appended and indexed if there was none. */
  int findOrAppend(byte[] bytes, int from, int to) {
    int found = find(bytes, from, to);
    if (found == ABSENT) {
      found = append(bytes, from, to);
      index(found);
    }
    return found;
  }

  /** A copy of the bytes of {@code symbol}. */
  byte[] bytes(int symbol) {
    return Arrays.copyOfRange(pool, starts[symbol], starts[symbol + 1]);
  }

  /** True if it was inserted, false if an equal one is there. */
  private boolean insert(int symbol) {
    int slot = hash(pool, starts[symbol], starts[symbol + 1]) & (slots.length - 1);
    while (slots[slot] != ABSENT) {
      int other = slots[slot];
      if (Arrays.equals(
          pool, starts[symbol], starts[symbol + 1], pool, starts[other], starts[other + 1])) {
        return false;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    slots[slot] = symbol;
    return true;
  }

  private void grow() {
    int[] old = slots;
    slots = newSlots(old.length * 2);
    for (int symbol : old) {
      if (symbol != ABSENT) {
        insert(symbol);
      }
    }
  }

  private static int[] newSlots(int length) {
    int[] slots = new int[length];
    Arrays.fill(slots, ABSENT);
    return slots;
  }

  private static int hash(byte[] bytes, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = hash * 31 + bytes[i];
    }
    hash *= 0x9E3779B9; // spreads what the multiplication by 31 left in the low bits
    return hash ^ (hash >>> 15);
  }
}
