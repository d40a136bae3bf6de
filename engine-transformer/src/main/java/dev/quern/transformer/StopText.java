package dev.quern.transformer;

import java.util.List;

/**
 * Lets text through up to the first stop text. What may be the beginning of a stop text is held
 * back until more text tells.
 */
final class StopText {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopText(List<String> stops) {
    this.stops = stops;
  }

  /** Takes more text and answers what is surely not part of a stop text. */
  String accept(String text) {
    if (found) {
      return "";
    }
    held.append(text);
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      first = at >= 0 && (first < 0 || at < first) ? at : first;
    }
    if (first >= 0) {
      found = true;
      held.setLength(first);
      return rest();
    }
    String passed = held.substring(0, held.length() - beginningLength());
    held.delete(0, passed.length());
    return passed;
  }

  /** Whether a stop text appeared. */
  boolean found() {
    return found;
  }

  /** What is still held back, when no more text comes. */
  String rest() {
    String rest = held.toString();
    held.setLength(0);
    return rest;
  }

  /** The length of the longest end of the held text that begins a stop text. */
  private int beginningLength() {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
        if (stop.startsWith(held.substring(held.length() - length))) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
