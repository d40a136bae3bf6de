package dev.quern.transformer;

/**
 * The rows of a step: consecutive tokens of one sequence, or one token of each of several.
 *
 * @param tokens token of each row
 * @param sequences sequence of each row
 * @param positions position of each row
 */
@SuppressWarnings("ArrayRecordComponent") // passed down once, never compared
record Rows(int[] tokens, int[] sequences, int[] positions) {
  /** Tokens {@code from} to {@code to - 1} of a sequence, from {@code position} on. */
  static Rows of(int sequence, int position, int[] tokens, int from, int to) {
    int count = to - from;
    int[] rowTokens = new int[count];
    int[] sequences = new int[count];
    int[] positions = new int[count];
    for (int row = 0; row < count; row++) {
      rowTokens[row] = tokens[from + row];
      sequences[row] = sequence;
      positions[row] = position + row;
    }
    return new Rows(rowTokens, sequences, positions);
  }

  int count() {
    return tokens.length;
  }
}
