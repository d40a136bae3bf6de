package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = d · value[q]} with sixteen values that lie denser around 0: 32 elements, 4.5 bits
 * each.
 *
 * <p>Bytes: {@code d} f16 at 0; {@code qs[16]} at 2, low nibbles hold elements 0–15, high nibbles
 * 16–31. Code 0 to 15 is −127, −104, −83, −65, −49, −35, −22, −10, 1, 13, 25, 38, 53, 69, 89, 113.
 */
public record IQ4_NL() implements WeightFormat {
  @Override
  public String name() {
    return "IQ4_NL";
  }

  @Override
  public int ggufId() {
    return 20;
  }

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return 18;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    for (int i = 0; i < 16; i++) {
      int q = source.get(ValueLayout.JAVA_BYTE, offset + 2 + i);
      target[at + i] = d * Iq4Values.low(q);
      target[at + 16 + i] = d * Iq4Values.high(q);
    }
  }
}
