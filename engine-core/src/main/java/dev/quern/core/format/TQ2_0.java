package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = (code − 1) · d} with codes 0, 1, 2: 256 elements, 2.0625 bits each.
 *
 * <p>Bytes: {@code qs[64]} at 0; {@code d} f16 at 64. Element {@code i} is bit pair {@code (i %
 * 128) / 32} of byte {@code 32 · (i / 128) + i % 32}. Code 3 is never written and decodes to {@code
 * 2d}.
 */
public record TQ2_0() implements WeightFormat {
  @Override
  public String name() {
    return "TQ2_0";
  }

  @Override
  public int ggufId() {
    return 35;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 66;
  }

  @Override
  public Product product() {
    return Product.TERNARY;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset + 64));
    for (int i = 0; i < 256; i++) {
      int codes = source.get(ValueLayout.JAVA_BYTE, offset + 32L * (i / 128) + i % 32);
      target[at + i] = (((codes >> (2 * (i % 128 / 32))) & 3) - 1) * d;
    }
  }
}
