package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (q − 16) · d}: 32 elements, 5.5 bits each.
 *
 * <p>Bytes: {@code d} f16 at 0; {@code qh} u32 at 2, whose bit {@code i} is bit 4 of element {@code
 * i}; {@code qs[16]} at 6, low nibbles hold elements 0–15, high nibbles 16–31.
 */
public record Q5_0() implements WeightFormat {
  @Override
  public String name() {
    return "Q5_0";
  }

  @Override
  public int ggufId() {
    return 6;
  }

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return 22;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    int high = source.get(I32_BITS, offset + 2);
    for (int i = 0; i < 16; i++) {
      int q = source.get(ValueLayout.JAVA_BYTE, offset + 6 + i);
      target[at + i] = (((q & 15) | ((high >> i) & 1) << 4) - 16) * d;
      target[at + 16 + i] = ((((q >> 4) & 15) | ((high >> (16 + i)) & 1) << 4) - 16) * d;
    }
  }
}
