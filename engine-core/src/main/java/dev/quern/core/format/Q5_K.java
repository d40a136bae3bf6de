package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (d · scⱼ) · q − dmin · mⱼ} with {@code j = i / 32}: 256 elements, 5.5 bits each.
 *
 * <p>Bytes: as {@link Q4_K}, with the fifth bits {@code qh[32]} at 16 (bit {@code j} of byte {@code
 * i%32}) and {@code qs[128]} at 48.
 */
public record Q5_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q5_K";
  }

  @Override
  public int ggufId() {
    return 13;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 176;
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
      long qs = offset + 48 + 32L * (j / 2);
      for (int l = 0; l < 32; l++) {
        int high = (source.get(ValueLayout.JAVA_BYTE, offset + 16 + l) >> j) & 1;
        int q = ((source.get(ValueLayout.JAVA_BYTE, qs + l) >> shift) & 15) + 16 * high;
        target[at + 32 * j + l] = scale * q - min;
      }
    }
  }
}
