package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = d · scₖ · q} with {@code k = i / 16}, {@code −32 ≤ q < 32}: 256 elements, 6.5625 bits
 * each.
 *
 * <p>Bytes: low nibbles {@code ql[128]} at 0; upper bit pairs {@code qh[64]} at 128; scales
 * int8[16] at 192; {@code d} f16 at 208. Each half of 128 elements uses 64 bytes of {@code ql} and
 * 32 of {@code qh}: its element {@code 32·p + l} takes the nibble {@code p / 2} of {@code ql[l +
 * 32·(p % 2)]} and the bit pair {@code p} of {@code qh[l]}.
 */
public record Q6_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q6_K";
  }

  @Override
  public int ggufId() {
    return 14;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 210;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset + 208));
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int part = i / 32 % 4;
      int l = i % 32;
      int low = source.get(ValueLayout.JAVA_BYTE, offset + 64L * half + 32L * (part % 2) + l);
      int high = source.get(ValueLayout.JAVA_BYTE, offset + 128 + 32L * half + l);
      int q = (((low >> (4 * (part / 2))) & 15) | (((high >> (2 * part)) & 3) << 4)) - 32;
      int scale = source.get(ValueLayout.JAVA_BYTE, offset + 192 + i / 16);
      target[at + i] = d * scale * q;
    }
  }
}
