package dev.quern.tokenizer;

/**
 * The alphabet of byte-level BPE: every byte is written as one printable character, so that a
 * vocabulary can be a list of strings. Printable Latin-1 stands for itself; the other 68 bytes are
 * U+0100 and up, in order: a space is {@code Ġ}, a newline {@code Ċ}.
 *
 * @see <a href="https://github.com/openai/gpt-2/blob/master/src/encoder.py">GPT-2's encoder</a>
 */
final class ByteLevel {
  private static final int CHARACTERS = 256 + 68;
  private static final short[] BYTES = bytes();

  private ByteLevel() {}

  /**
   * Writes the bytes that {@code text}, from {@code from} to {@code to}, stands for to {@code out}.
   *
   * @param text UTF-8
   * @param out at least as long as the part of {@code text}
   * @return the number of bytes, or -1 if a character stands for none
   */
  static int decode(byte[] text, int from, int to, byte[] out) {
    int length = 0;
    for (int i = from; i < to; i++) {
      int c = text[i] & 0xFF;
      if (c >= 0x80) {
        // Every character above U+007F of the alphabet has two bytes in UTF-8.
        if ((c & 0xE0) != 0xC0 || i + 1 >= to) {
          return -1;
        }
        i++;
        c = ((c & 0x1F) << 6) | (text[i] & 0x3F);
      }
      if (c >= CHARACTERS || BYTES[c] < 0) {
        return -1;
      }
      out[length] = (byte) BYTES[c];
      length++;
    }
    return length;
  }

  private static short[] bytes() {
    short[] bytes = new short[CHARACTERS];
    int other = 256;
    for (short b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      if (printable) {
        bytes[b] = b;
      } else {
        bytes[b] = -1;
        bytes[other] = b;
        other++;
      }
    }
    return bytes;
  }
}
