package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = q · d + m}: 32 elements, 5 bits each.
 *
 * <p>Bytes: {@code d} f16 at 0; {@code m} f16 at 2; {@code qs[16]} at 4, low nibbles hold elements
 * 0–15, high nibbles 16–31.
 */
public record Q4_1() implements WeightFormat {
  @Override
  public String name() {
    return "Q4_1";
  }

  @Override
  public int ggufId() {
    return 3;
  }

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return 20;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    float m = Float.float16ToFloat(source.get(F16_BITS, offset + 2));
    for (int i = 0; i < 16; i++) {
      int q = source.get(ValueLayout.JAVA_BYTE, offset + 4 + i);
      target[at + i] = (q & 15) * d + m;
      target[at + 16 + i] = ((q >> 4) & 15) * d + m;
    }
  }
}
