package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = 2ᵉ⁻¹²⁸ · 2v} with {@code v} a 4-bit floating-point number: 32 elements, 4.25 bits
 * each.
 *
 * <p>Bytes: {@code e} u8 at 0; {@code qs[16]} at 1, low nibbles hold elements 0–15, high nibbles
 * 16–31. Codes 0 to 7 are v = 0, ½, 1, 1½, 2, 3, 4, 6; codes 8 to 15 their negatives, with 8 read
 * as +0. The specification makes e = 255 a NaN; GGUF tools, and so Quern, read it as 2¹²⁷.
 *
 * @see <a
 *     href="https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf">OCP
 *     Microscaling Formats</a>
 */
public record MXFP4() implements WeightFormat {
  @Override
  public String name() {
    return "MXFP4";
  }

  @Override
  public int ggufId() {
    return 39;
  }

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return 17;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    int exponent = source.get(ValueLayout.JAVA_BYTE, offset) & 255;
    float d = Math.scalb(1f, exponent - 128);
    for (int i = 0; i < 16; i++) {
      int q = source.get(ValueLayout.JAVA_BYTE, offset + 1 + i);
      target[at + i] = doubled(q & 15) * d;
      target[at + 16 + i] = doubled((q >> 4) & 15) * d;
    }
  }

  /** {@code 2v} of a code: a sign bit, two bits of exponent, one of mantissa. */
  private static int doubled(int code) {
    int exponent = (code >> 1) & 3;
    int mantissa = code & 1;
    int magnitude = exponent == 0 ? mantissa : (2 | mantissa) << (exponent - 1);
    return code < 8 ? magnitude : -magnitude;
  }
}
