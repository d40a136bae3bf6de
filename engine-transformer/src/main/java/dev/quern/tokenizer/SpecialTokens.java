package dev.quern.tokenizer;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds tokens that are read as a whole, such as {@code <|im_end|>}: the leftmost, and of those the
 * longest. The texts are sorted, and each character narrows the range of those that still match.
 */
final class SpecialTokens {
  private final List<String> texts;
  private final int[] ids;
  private final BitSet firsts = new BitSet();

  SpecialTokens(Map<String, Integer> tokens) {
    TreeMap<String, Integer> sorted = new TreeMap<>(tokens);
    sorted.remove("");
    texts = List.copyOf(sorted.keySet());
    ids = sorted.values().stream().mapToInt(id -> id).toArray();
    texts.forEach(text -> firsts.set(text.charAt(0)));
  }

  /** A token and the characters of the text that it takes. */
  record Match(int token, int start, int end) {}

  /** The first match at or after {@code from}; its start is the text's length if there is none. */
  Match next(String text, int from) {
    if (!texts.isEmpty()) {
      for (int start = from; start < text.length(); start++) {
        if (firsts.get(text.charAt(start))) {
          int longest = longest(text, start);
          if (longest >= 0) {
            return new Match(ids[longest], start, start + texts.get(longest).length());
          }
        }
      }
    }
    return new Match(Tokenizer.NONE, text.length(), text.length());
  }

  private int longest(String text, int start) {
    int low = 0;
    int high = texts.size();
    int found = -1;
    for (int depth = 0; start + depth < text.length(); depth++) {
      char c = text.charAt(start + depth);
      low = bound(low, high, depth, c);
      high = bound(low, high, depth, c + 1);
      if (low == high) {
        break;
      }
      // Of all texts with this prefix, the one that is no longer than it is sorted first.
      if (texts.get(low).length() == depth + 1) {
        found = low;
      }
    }
    return found;
  }

  /** The first text from {@code low} whose character at {@code depth} is at least {@code c}. */
  private int bound(int low, int high, int depth, int c) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      String candidate = texts.get(middle);
      if (candidate.length() <= depth || candidate.charAt(depth) < c) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}
