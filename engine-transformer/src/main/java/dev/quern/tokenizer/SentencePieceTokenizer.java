package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What the algorithms of SentencePiece share: a space is written {@code ▁}, tokens have scores, and
 * what is no token becomes byte tokens or, where there are none, the unknown token.
 *
 * <p>Where the vocabulary has bytes, a {@code ▁} in the text itself is encoded as its bytes, so
 * that it does not come back as a space.
 *
 * @see <a href="https://arxiv.org/abs/1808.06226">Kudo and Richardson, SentencePiece</a>
 */
abstract class SentencePieceTokenizer extends VocabularyTokenizer {
  static final String SPACE = "▁";
  private static final String SCORES = "tokenizer.ggml.scores";
  static final byte[] SPACE_BYTES = SPACE.getBytes(StandardCharsets.UTF_8);

  private final int[] byteTokens = new int[256];
  private final boolean keepsBytes;
  private final boolean spacePrefix;

  /**
   * @param spacePrefix whether a space is put before text where the file does not say
   */
  SentencePieceTokenizer(GgufMetadata metadata, Vocabulary vocabulary, boolean spacePrefix) {
    super(vocabulary);
    this.spacePrefix = metadata.findBoolean("tokenizer.ggml.add_space_prefix").orElse(spacePrefix);
    Arrays.fill(byteTokens, NONE);
    byte[] decoded = new byte[1];
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.types().get(id) == TokenType.BYTE
          && ByteTokens.decode(vocabulary.texts().utf8(id), decoded) == 1) {
        byteTokens[decoded[0] & 0xFF] = id;
      }
    }
    keepsBytes = Arrays.stream(byteTokens).noneMatch(token -> token == NONE);
  }

  /** The score of each token. */
  static float[] scores(GgufMetadata metadata, int size) {
    float[] scores = metadata.requireFloats(SCORES);
    if (scores.length != size) {
      throw metadata.problem(
          SCORES,
          "must have an element for each of the %d tokens but has %d"
              .formatted(size, scores.length));
    }
    return scores;
  }

  /** Whether a space is put before text. */
  final boolean spacePrefix() {
    return spacePrefix;
  }

  /** Whether every byte has a token, so that {@code ▁} in a text can be told from a space. */
  final boolean keepsBytes() {
    return keepsBytes;
  }

  private boolean hasBytes(byte[] bytes) {
    for (byte b : bytes) {
      if (byteTokens[b & 0xFF] == NONE) {
        return false;
      }
    }
    return true;
  }

  /** The bytes of one character, or one unknown token for it, as SentencePiece does. */
  final void emitBytes(byte[] bytes, int from, int to, IntList out) {
    byte[] character = Arrays.copyOfRange(bytes, from, to);
    if (!hasBytes(character)) {
      out.add(unknown("\"%s\"".formatted(new String(character, StandardCharsets.UTF_8))));
      return;
    }
    for (byte b : character) {
      out.add(byteTokens[b & 0xFF]);
    }
  }

  @Override
  public final byte[] bytes(int token) {
    return switch (type(token)) {
      case NORMAL, UNDEFINED ->
          text(token).contains(SPACE)
              ? text(token).replace(SPACE, " ").getBytes(StandardCharsets.UTF_8)
              : stored(token);
      case USER_DEFINED -> stored(token);
      case BYTE -> {
        byte[] decoded = new byte[1];
        yield ByteTokens.decode(stored(token), decoded) == 1 ? decoded : new byte[0];
      }
      case CONTROL, UNKNOWN, UNUSED -> new byte[0];
    };
  }

  @Override
  public final byte[] bytes(int previous, int token) {
    byte[] bytes = bytes(token);
    boolean prefixed =
        spacePrefix
            && (previous == NONE || isWhole(previous))
            && !isWhole(token)
            && bytes.length > 0
            && bytes[0] == ' ';
    return prefixed ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
  }

  private boolean isWhole(int token) {
    return switch (type(token)) {
      case CONTROL, UNKNOWN, USER_DEFINED -> true;
      case NORMAL, UNDEFINED, UNUSED, BYTE -> false;
    };
  }
}
