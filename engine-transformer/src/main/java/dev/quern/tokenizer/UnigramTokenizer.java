package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * SentencePiece's unigram model: of all ways to cut a text into tokens, the one whose scores,
 * logarithms of probabilities, have the largest sum. It is found from left to right (Viterbi): the
 * best way to a place is the best way to where its last token begins, and that token. A character
 * that is no token costs 10 more than the worst token.
 *
 * <p>Before, the text is normalised: characters are replaced as the file's {@link CharacterMap}
 * says, and white space is cut to single spaces where {@code remove_extra_whitespaces} says so.
 * What that changes does not come back.
 *
 * @see <a href="https://arxiv.org/abs/1804.10959">Kudo, Subword Regularization</a>
 */
final class UnigramTokenizer extends SentencePieceTokenizer {
  private static final double UNKNOWN_PENALTY = 10;

  private final SortedTexts texts;
  private final float[] scores;
  private final double unknownScore;
  private final CharacterMap characters;
  private final boolean singleSpaces;

  UnigramTokenizer(GgufMetadata metadata, Vocabulary vocabulary) {
    super(metadata, vocabulary, false);
    scores = scores(metadata, vocabulary.size());
    characters = CharacterMap.of(metadata);
    singleSpaces = metadata.findBoolean("tokenizer.ggml.remove_extra_whitespaces").orElse(false);
    List<SortedTexts.Entry> entries = new ArrayList<>();
    float worst = Float.POSITIVE_INFINITY;
    for (int id = 0; id < vocabulary.size(); id++) {
      // User-defined tokens are cut out before.
      if (vocabulary.types().get(id).isText()
          && vocabulary.types().get(id) != TokenType.USER_DEFINED) {
        if (!Float.isFinite(scores[id])) {
          throw new TokenizerException(
              "%s: score of token %d must be finite but is %s"
                  .formatted(metadata.source(), id, scores[id]));
        }
        entries.add(new SortedTexts.Entry(spaced(vocabulary.texts().utf8(id)), id));
        worst = Math.min(worst, scores[id]);
      }
    }
    texts = new SortedTexts(entries);
    unknownScore = (entries.isEmpty() ? 0 : worst) - UNKNOWN_PENALTY;
  }

  /** A token's text with spaces, so that it never matches a {@code ▁} of the text. */
  private static byte[] spaced(byte[] utf8) {
    String text = new String(utf8, StandardCharsets.UTF_8);
    return text.contains(SPACE) ? text.replace(SPACE, " ").getBytes(StandardCharsets.UTF_8) : utf8;
  }

  @Override
  void encodeText(String text, boolean afterSpecial, IntList out) {
    byte[] normal = normalised(text, afterSpecial);
    Path path = best(normal);
    int[] ends = new int[normal.length + 1];
    int count = 0;
    for (int end = normal.length; end > 0; end = path.starts[end]) {
      ends[count++] = end;
    }
    boolean unknownBefore = false;
    while (count > 0) {
      int end = ends[--count];
      int token = path.tokens[end];
      if (token != NONE) {
        out.add(token);
      } else if (keepsBytes() || !unknownBefore) {
        // without bytes, one unknown token stands for all unknown characters in a row
        emitBytes(normal, path.starts[end], end, out);
      }
      unknownBefore = token == NONE;
    }
  }

  /**
   * The best way to every place in a text.
   *
   * @param scores of the ways
   * @param starts where the last token begins
   * @param tokens that token, or {@link #NONE} for a character that is none
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Path(double[] scores, int[] starts, int[] tokens) {
    /** A way through {@code start}; of equal ones the one with the longer last token stays. */
    void offer(int start, int end, int token, double score) {
      double sum = scores[start] + score;
      if (sum > scores[end]) {
        scores[end] = sum;
        starts[end] = start;
        tokens[end] = token;
      }
    }
  }

  private Path best(byte[] text) {
    Path path =
        new Path(new double[text.length + 1], new int[text.length + 1], new int[text.length + 1]);
    Arrays.fill(path.scores, 1, text.length + 1, Double.NEGATIVE_INFINITY);
    for (int start = 0; start < text.length; ) {
      int at = start;
      int next = characterEnd(text, start);
      boolean[] single = new boolean[1];
      texts.at(
          text,
          start,
          text.length,
          (token, end) -> {
            single[0] |= end == next;
            path.offer(at, end, token, scores[token]);
          });
      if (!single[0]) {
        path.offer(start, next, NONE, unknownScore);
      }
      start = next;
    }
    return path;
  }

  private static int characterEnd(byte[] text, int start) {
    int end = start + 1;
    while (end < text.length && (text[end] & 0xC0) == 0x80) {
      end++;
    }
    return end;
  }

  /** UTF-8 with characters replaced, spaces added and removed; a space is a space. */
  private byte[] normalised(String text, boolean afterSpecial) {
    byte[] raw = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(raw.length + 1);
    if (spacePrefix() && afterSpecial) {
      out.write(' ');
    }
    boolean afterSpace = singleSpaces;
    for (int at = 0; at < raw.length; ) {
      CharacterMap.Replaced replaced = characters.next(raw, at);
      for (byte b : replaced.bytes()) {
        if (!afterSpace || b != ' ') {
          out.write(b);
        }
        afterSpace = singleSpaces && b == ' ';
      }
      at = replaced.end();
    }
    // Without bytes a ▁ of the text cannot be told from a space, but it is not cut to single ones.
    byte[] normal = keepsBytes() ? out.toByteArray() : spaced(out.toByteArray());
    int length = normal.length;
    while (singleSpaces && length > 0 && normal[length - 1] == ' ') {
      length--;
    }
    return Arrays.copyOf(normal, length);
  }
}
