package dev.quern.tokenizer;

import java.util.Arrays;
import java.util.List;

/**
 * Finds which of many texts a text begins with. They are sorted, and each byte narrows the range of
 * those that still match.
 */
final class SortedTexts {
  private final List<Entry> entries;

  /** A text and what it stands for. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Entry(byte[] text, int id) {}

  /** Takes texts in any order; of equal ones the first counts, an empty one never does. */
  SortedTexts(List<Entry> texts) {
    entries =
        texts.stream()
            .filter(entry -> entry.text.length > 0)
            .sorted((a, b) -> Arrays.compareUnsigned(a.text, b.text))
            .toList();
  }

  /** Receives the texts that were found, the shortest first. */
  @FunctionalInterface
  interface Found {
    /** The text {@code id} ends before {@code end}. */
    void text(int id, int end);
  }

  /** Tells of every text that stands at {@code from} and ends at {@code to} or before. */
  void at(byte[] text, int from, int to, Found found) {
    int low = 0;
    int high = entries.size();
    for (int depth = 0; from + depth < to; depth++) {
      int b = text[from + depth] & 0xFF;
      low = bound(low, high, depth, b);
      high = bound(low, high, depth, b + 1);
      if (low == high) {
        return;
      }
      // Of all texts with this prefix, the one that is no longer than it is sorted first.
      if (entries.get(low).text.length == depth + 1) {
        found.text(entries.get(low).id, from + depth + 1);
      }
    }
  }

  /** The first entry from {@code low} whose byte at {@code depth} is at least {@code b}. */
  private int bound(int low, int high, int depth, int b) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      byte[] text = entries.get(middle).text;
      if (text.length <= depth || (text[depth] & 0xFF) < b) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}
