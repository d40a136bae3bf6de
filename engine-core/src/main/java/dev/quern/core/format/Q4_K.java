package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (d · scⱼ) · q − dmin · mⱼ} with {@code j = i / 32}: 256 elements, 4.5 bits each.
 *
 * <p>Bytes: {@code d} f16 at 0; {@code dmin} f16 at 2; eight 6-bit scales and minima in twelve
 * bytes at 4; {@code qs[128]} at 16, where byte {@code 32·(i/64) + i%32} holds element {@code i} in
 * its low nibble if {@code j} is even, else in its high one.
 *
 * <p>Of the twelve bytes, 0–3 hold scales 0–3 and 4–7 minima 0–3 in their low six bits; 8–11 hold
 * the low nibbles of scales 4–7 (low nibble) and minima 4–7 (high nibble), whose upper two bits are
 * the upper bits of bytes 0–3 and 4–7.
 */
public record Q4_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q4_K";
  }

  @Override
  public int ggufId() {
    return 12;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 144;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    float dmin = Float.float16ToFloat(source.get(F16_BITS, offset + 2));
    for (int j = 0; j < 8; j++) {
      float scale = d * KScales.scale(source, offset + 4, j);
      float min = dmin * KScales.min(source, offset + 4, j);
      int shift = 4 * (j & 1);
      long qs = offset + 16 + 32L * (j / 2);
      for (int l = 0; l < 32; l++) {
        int q = (source.get(ValueLayout.JAVA_BYTE, qs + l) >> shift) & 15;
        target[at + 32 * j + l] = scale * q - min;
      }
    }
  }
}
