package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (d · (scⱼ − 32)) · value[q]} with {@code j = i / 32}: 256 elements, 4.25 bits each.
 *
 * <p>Bytes: {@code d} f16 at 0; bit pairs {@code scales_h} u16 at 2; nibbles {@code scales_l[4]} at
 * 4; {@code qs[128]} at 8, where the low nibbles of bytes {@code 16·j} to {@code 16·j + 15} hold
 * the first 16 elements of sub-block {@code j} and the high ones the others. Bits 0–3 of scⱼ are
 * nibble {@code j} of {@code scales_l}, bits 4–5 are bit pair {@code j} of {@code scales_h}. The
 * values are those of {@link IQ4_NL}.
 */
public record IQ4_XS() implements WeightFormat {
  @Override
  public String name() {
    return "IQ4_XS";
  }

  @Override
  public int ggufId() {
    return 23;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 136;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    int highScales = source.get(F16_BITS, offset + 2);
    int lowScales = source.get(I32_BITS, offset + 4);
    for (int j = 0; j < 8; j++) {
      int low = (lowScales >> (4 * j)) & 15;
      int high = (highScales >> (2 * j)) & 3;
      float scale = d * ((low | high << 4) - 32);
      for (int l = 0; l < 16; l++) {
        int q = source.get(ValueLayout.JAVA_BYTE, offset + 8 + 16L * j + l);
        target[at + 32 * j + l] = scale * Iq4Values.low(q);
        target[at + 32 * j + 16 + l] = scale * Iq4Values.high(q);
      }
    }
  }
}
