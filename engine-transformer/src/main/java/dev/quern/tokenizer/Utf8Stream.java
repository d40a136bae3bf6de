package dev.quern.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Makes text of UTF-8 that arrives in pieces: an incomplete character is held back until the rest
 * of it arrives; what can never become a character is U+FFFD. Not thread-safe.
 */
public final class Utf8Stream {
  private static final int LONGEST = 4;

  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private final byte[] held = new byte[LONGEST];
  private int heldBytes;

  /** A stream at its beginning. */
  public Utf8Stream() {}

  /** The text that is complete with these bytes. */
  public String accept(byte[] bytes) {
    return decode(bytes, false);
  }

  /** Ends the stream: U+FFFD if a character is incomplete, else empty. It may then begin anew. */
  public String finish() {
    String text = decode(new byte[0], true);
    decoder.reset();
    return text;
  }

  private String decode(byte[] bytes, boolean last) {
    ByteBuffer in = ByteBuffer.allocate(heldBytes + bytes.length);
    in.put(held, 0, heldBytes).put(bytes).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
    decoder.decode(in, out, last);
    heldBytes = in.remaining();
    in.get(held, 0, heldBytes);
    return out.flip().toString();
  }
}
