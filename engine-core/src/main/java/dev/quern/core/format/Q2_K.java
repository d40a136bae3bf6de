package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (d · scₖ) · q − dmin · mₖ} with {@code k = i / 16}: 256 elements, 2.625 bits each.
 *
 * <p>Bytes: {@code scales[16]} at 0, low nibbles scₖ, high nibbles mₖ; {@code qs[64]} at 16, where
 * byte {@code 32·(i/128) + i%32} holds element {@code i} as bit pair {@code i%128 / 32}; {@code d}
 * f16 at 80; {@code dmin} f16 at 82.
 */
public record Q2_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q2_K";
  }

  @Override
  public int ggufId() {
    return 10;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 84;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset + 80));
    float dmin = Float.float16ToFloat(source.get(F16_BITS, offset + 82));
    for (int k = 0; k < 16; k++) {
      int packed = source.get(ValueLayout.JAVA_BYTE, offset + k);
      float scale = d * (packed & 15);
      float min = dmin * ((packed >> 4) & 15);
      int shift = 2 * (k % 8 / 2);
      long qs = offset + 16 + 32L * (k / 8) + 16L * (k % 2);
      for (int l = 0; l < 16; l++) {
        int q = (source.get(ValueLayout.JAVA_BYTE, qs + l) >> shift) & 3;
        target[at + 16 * k + l] = scale * q - min;
      }
    }
  }
}
