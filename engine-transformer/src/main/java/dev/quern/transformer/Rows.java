package dev.quern.transformer;

import java.util.Arrays;
import java.util.List;

/**
 * The rows of a step: consecutive tokens of one sequence or of several, one after the other.
 *
 * @param tokens token of each row
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param adapters what is added to projections
 */
@SuppressWarnings("ArrayRecordComponent") // passed down once, never compared
record Rows(int[] tokens, int[] sequences, int[] positions, Adapters adapters) {
  /** Tokens {@code from} to {@code to - 1} of a sequence, from {@code position} on. */
  static Rows of(
      int sequence, int position, int[] tokens, int from, int to, List<LoraAdapter> adapters) {
    int count = to - from;
    int[] rowTokens = new int[count];
    int[] sequences = new int[count];
    int[] positions = new int[count];
    for (int row = 0; row < count; row++) {
      rowTokens[row] = tokens[from + row];
      sequences[row] = sequence;
      positions[row] = position + row;
    }
    return new Rows(rowTokens, sequences, positions, Adapters.ofAll(adapters));
  }

  int count() {
    return tokens.length;
  }

  /** Rows {@code from} to {@code to - 1}. */
  Rows between(int from, int to) {
    return new Rows(
        Arrays.copyOfRange(tokens, from, to),
        Arrays.copyOfRange(sequences, from, to),
        Arrays.copyOfRange(positions, from, to),
        adapters.between(from, to));
  }
}
