package dev.quern.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * Text to tokens and back. Immutable and thread-safe; made by {@link Tokenizers#from}.
 *
 * <p>What is encoded without parsing special tokens decodes to itself: {@code decode(encode(text,
 * anySpecial, false)).equals(text)} for every text without lone surrogates. Only a unigram model
 * may lose some: what its map of characters replaces, and what is no token where it has no bytes.
 */
public interface Tokenizer {
  /** Stands for the token before the first one. */
  int NONE = -1;

  /**
   * Text to tokens. It takes O(n log n) time, whatever the text.
   *
   * @param text any text; a lone surrogate is read as {@code ?}
   * @param addSpecial adds the begin-of-sequence and end-of-sequence tokens where the file says so
   * @param parseSpecial reads the text of a control token, for example {@code <|im_end|>}, as that
   *     token; otherwise it is ordinary text. User-defined tokens are always read as themselves
   */
  int[] encode(String text, boolean addSpecial, boolean parseSpecial);

  /**
   * What {@code token} adds to a text in which it follows {@code previous}: UTF-8 bytes, perhaps a
   * part of a character. Control and unknown tokens add nothing.
   *
   * @param previous the token before, or {@link #NONE}; after none or a special one, a vocabulary
   *     that puts a space before text loses it here
   * @throws IllegalArgumentException if {@code token} is not in the vocabulary
   */
  byte[] bytes(int previous, int token);

  /**
   * What {@code token} adds to a text in which it follows ordinary text.
   *
   * @throws IllegalArgumentException if {@code token} is not in the vocabulary
   */
  byte[] bytes(int token);

  /** The token as the vocabulary writes it, for example {@code Ġthe} or {@code <|im_end|>}. */
  String text(int token);

  /** The token of this {@linkplain #text text}, or empty. It looks through the vocabulary. */
  OptionalInt find(String text);

  /** The number of tokens. */
  int size();

  /** The begin-of-sequence token. */
  OptionalInt bos();

  /** The end-of-sequence token. */
  OptionalInt eos();

  /** True if the file wants texts to begin with {@link #bos}. */
  boolean addBos();

  /**
   * True if generation ends with {@code token}: the end of sequence, turn or message that the file
   * names, or a token with a well-known name such as {@code <|im_end|>} or {@code <|eot_id|>}.
   */
  boolean isEndOfGeneration(int token);

  /** True if {@code token} steers the model and is no text. */
  boolean isControl(int token);

  /** Tokens to text; bytes that are not UTF-8 become U+FFFD. */
  default String decode(int... tokens) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int previous = NONE;
    for (int token : tokens) {
      text.writeBytes(bytes(previous, token));
      previous = token;
    }
    return text.toString(StandardCharsets.UTF_8);
  }
}
