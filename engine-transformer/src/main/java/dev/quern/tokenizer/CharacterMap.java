package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The normalisation that SentencePiece compiles into its models: a map from sequences of characters
 * to what replaces them, for example NFKC. The key {@code tokenizer.ggml.precompiled_charsmap}
 * holds the size of a trie, the trie, and the replacements, each ended by a zero.
 *
 * <p>The trie is a double array whose entries have the label of a node in bits 0 to 7, whether a
 * replacement ends there in bit 8, and the distance to its children from bit 10 on, shifted by 8
 * where bit 9 is set; an entry with bit 31 is the place of a replacement.
 *
 * @see <a href="https://github.com/google/sentencepiece/blob/master/doc/normalization.md">Use
 *     custom normalization rule</a>
 */
final class CharacterMap {
  private static final String KEY = "tokenizer.ggml.precompiled_charsmap";
  private static final byte[] INVALID = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};

  private final GgufMetadata metadata;
  private final int[] trie;
  private final byte[] replacements;

  private CharacterMap(GgufMetadata metadata, int[] trie, byte[] replacements) {
    this.metadata = metadata;
    this.trie = trie;
    this.replacements = replacements;
  }

  /** The map of a file; one without replaces nothing. */
  static CharacterMap of(GgufMetadata metadata) {
    int[] values = metadata.findInts(KEY).orElse(new int[0]);
    if (values.length == 0) {
      return new CharacterMap(metadata, new int[0], new byte[0]);
    }
    ByteBuffer bytes = ByteBuffer.allocate(values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.put((byte) value);
    }
    bytes.flip();
    long size = values.length < 4 ? -1 : bytes.getInt() & 0xFFFFFFFFL;
    if (size < 4 || size % 4 != 0 || size > values.length - 4) {
      throw metadata.problem(
          KEY,
          "must begin with the bytes of a trie, a multiple of 4, but of %d bytes has %d"
              .formatted(values.length, size));
    }
    int[] trie = new int[(int) (size / 4)];
    bytes.asIntBuffer().get(trie);
    return new CharacterMap(
        metadata, trie, Arrays.copyOfRange(bytes.array(), (int) size + 4, values.length));
  }

  /** A replacement of the bytes of a text up to {@code end}. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Replaced(byte[] bytes, int end) {}

  /** What replaces the longest sequence at {@code from}, or the character there. */
  Replaced next(byte[] text, int from) {
    int end = from;
    int place = 0;
    if (trie.length > 0) {
      int node = children(0);
      for (int at = from; at < text.length && text[at] != 0; at++) {
        node ^= text[at] & 0xFF;
        if ((entry(node) & 0x800000FF) != (text[at] & 0xFF)) {
          break;
        }
        boolean ends = (entry(node) >>> 8 & 1) == 1;
        node ^= children(node);
        if (ends) {
          end = at + 1;
          place = entry(node) & Integer.MAX_VALUE;
        }
      }
    }
    return end > from ? new Replaced(replacement(place), end) : character(text, from);
  }

  private int children(int node) {
    int entry = entry(node);
    return entry >>> 10 << ((entry & 1 << 9) >>> 6);
  }

  private int entry(int node) {
    if (node < 0 || node >= trie.length) {
      throw metadata.problem(
          KEY, "must lead to 0 to %d but leads to %d".formatted(trie.length - 1, node));
    }
    return trie[node];
  }

  private byte[] replacement(int place) {
    int end = place;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    if (end >= replacements.length) {
      throw metadata.problem(
          KEY,
          "must have a replacement ended by zero at %d but has %d bytes of them"
              .formatted(place, replacements.length));
    }
    return Arrays.copyOfRange(replacements, place, end);
  }

  /** The text came from a string: it is UTF-8 but where a surrogate stood alone. */
  private static Replaced character(byte[] text, int from) {
    int end = from + 1;
    while (end < text.length && (text[end] & 0xC0) == 0x80) {
      end++;
    }
    boolean inside = (text[from] & 0xC0) == 0x80;
    return new Replaced(inside ? INVALID : Arrays.copyOfRange(text, from, end), end);
  }
}
