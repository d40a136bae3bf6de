package dev.quern.tokenizer;

import java.util.Arrays;

/**
 * The loop of BPE: join the adjacent pair of symbols that comes first in order, the leftmost of
 * equals, until no pair joins. Symbols are a linked list and pairs wait in a queue, so {@code n}
 * symbols take {@code O(n log n)}; a pair that changed while it waited is recognised and dropped.
 *
 * <p>One instance serves one text after the other on one thread.
 */
abstract class PairMerger {
  static final int NONE = -1;
  private static final int DEAD = -2;

  private final LongHeap queue = new LongHeap();
  private int[] symbol = new int[64];
  private int[] start = new int[65];
  private int[] next = new int[64];
  private int[] previous = new int[64];
  private int count;

  /** The rule that joins the symbols at {@code left} and its successor, or {@link #NONE}. */
  abstract int rule(int left, int right);

  /** The place of a rule in the order, smallest first. */
  abstract int order(int rule);

  /** The symbol that a rule makes. */
  abstract int result(int rule);

  /** Receives the symbol at {@code position} of the result. */
  abstract void emit(int position);

  final void clear() {
    count = 0;
  }

  /** Appends a symbol whose bytes begin at {@code from} and end where the next one begins. */
  final void add(int id, int from, int to) {
    if (count == symbol.length) {
      symbol = Arrays.copyOf(symbol, count * 2);
      next = Arrays.copyOf(next, count * 2);
      previous = Arrays.copyOf(previous, count * 2);
      start = Arrays.copyOf(start, count * 2 + 1);
    }
    symbol[count] = id;
    start[count] = from;
    start[count + 1] = to;
    previous[count] = count - 1;
    next[count] = count + 1;
    count++;
  }

  final int symbolAt(int position) {
    return symbol[position];
  }

  final int startOf(int position) {
    return start[position];
  }

  final int endOf(int position) {
    return start[next[position]];
  }

  /** Joins what can be joined, then emits what is left from left to right. */
  final void merge() {
    queue.clear();
    for (int i = 0; i + 1 < count; i++) {
      enqueue(i);
    }
    while (!queue.isEmpty()) {
      long first = queue.pop();
      int left = (int) first;
      if (symbol[left] == DEAD || next[left] == count) {
        continue;
      }
      int rule = rule(left, next[left]);
      if (rule != NONE && order(rule) == (int) (first >> 32)) {
        join(left, result(rule));
      }
    }
    for (int i = 0; i < count; i = next[i]) {
      emit(i);
    }
  }

  private void join(int left, int result) {
    int right = next[left];
    symbol[left] = result;
    symbol[right] = DEAD;
    next[left] = next[right];
    if (next[left] < count) {
      previous[next[left]] = left;
      enqueue(left);
    }
    if (previous[left] >= 0) {
      enqueue(previous[left]);
    }
  }

  private void enqueue(int left) {
    int rule = rule(left, next[left]);
    if (rule != NONE) {
      queue.push(((long) order(rule) << 32) | left);
    }
  }
}
