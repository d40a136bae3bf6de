package dev.quern.tokenizer;

import java.util.Arrays;

/** A growing array of token ids. */
final class IntList {
  private int[] values = new int[64];
  private int size;

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size * 2);
    }
    values[size] = value;
    size++;
  }

  int[] toArray() {
    return Arrays.copyOf(values, size);
  }
}
