package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = q · d}: 32 elements, 8.5 bits each.
 *
 * <p>Bytes: {@code d} f16 at 0; {@code qs} int8[32] at 2.
 */
public record Q8_0() implements WeightFormat {
  @Override
  public String name() {
    return "Q8_0";
  }

  @Override
  public int ggufId() {
    return 8;
  }

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return 34;
  }

  @Override
  public Product product() {
    return Product.BLOCK;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset));
    for (int i = 0; i < 32; i++) {
      target[at + i] = source.get(ValueLayout.JAVA_BYTE, offset + 2 + i) * d;
    }
  }
}
