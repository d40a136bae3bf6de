package dev.quern.core.format;

import java.lang.foreign.MemorySegment;

/** IEEE 754 binary16, little-endian, widened exactly. */
public record F16() implements WeightFormat {
  @Override
  public String name() {
    return "F16";
  }

  @Override
  public int ggufId() {
    return 1;
  }

  @Override
  public int blockElements() {
    return 1;
  }

  @Override
  public int blockBytes() {
    return 2;
  }

  @Override
  public Product product() {
    return Product.DENSE;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    target[at] = Float.float16ToFloat(source.get(F16_BITS, offset));
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at, int count) {
    for (int i = 0; i < count; i++) {
      target[at + i] = Float.float16ToFloat(source.get(F16_BITS, offset + 2L * i));
    }
  }
}
