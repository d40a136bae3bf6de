package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (d · (scₖ − 32)) · (q − 4)} with {@code k = i / 16}: 256 elements, 3.4375 bits each.
 *
 * <p>Bytes: {@code hmask[32]} at 0, where bit {@code i/32} of byte {@code i%32} is bit 2 of element
 * {@code i}; {@code qs[64]} at 32, where byte {@code 32·(i/128) + i%32} holds the low bits of
 * element {@code i} as bit pair {@code i%128 / 32}; sixteen 6-bit scales in {@code s[12]} at 96;
 * {@code d} f16 at 108. The low nibble of scₖ is nibble {@code k/8} of {@code s[k%8]}, its high
 * bits are bit pair {@code k/4} of {@code s[8 + k%4]}.
 */
public record Q3_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q3_K";
  }

  @Override
  public int ggufId() {
    return 11;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 110;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset + 108));
    for (int k = 0; k < 16; k++) {
      float scale = d * (scale(source, offset + 96, k) - 32);
      long hmask = offset + 16L * (k % 2);
      long qs = hmask + 32 + 32L * (k / 8);
      for (int l = 0; l < 16; l++) {
        int low = (source.get(ValueLayout.JAVA_BYTE, qs + l) >> (2 * (k % 8 / 2))) & 3;
        int high = (source.get(ValueLayout.JAVA_BYTE, hmask + l) >> (k / 2)) & 1;
        target[at + 16 * k + l] = scale * ((low | high << 2) - 4);
      }
    }
  }

  private static int scale(MemorySegment source, long offset, int k) {
    int low = source.get(ValueLayout.JAVA_BYTE, offset + k % 8) >> (4 * (k / 8));
    int high = source.get(ValueLayout.JAVA_BYTE, offset + 8 + k % 4) >> (2 * (k / 4));
    return (low & 15) | (high & 3) << 4;
  }
}
