package dev.quern.tokenizer;

import java.nio.charset.StandardCharsets;

/** Tokens for single bytes, written {@code <0x00>} to {@code <0xFF>}. */
final class ByteTokens {
  private ByteTokens() {}

  /** Writes the byte that {@code text} stands for to {@code out[0]}; returns 1, or -1 if none. */
  static int decode(byte[] text, byte[] out) {
    String token = new String(text, StandardCharsets.UTF_8);
    if (!token.matches("<0x[0-9A-Fa-f]{2}>")) {
      return -1;
    }
    out[0] = (byte) Integer.parseInt(token, 3, 5, 16);
    return 1;
  }
}
