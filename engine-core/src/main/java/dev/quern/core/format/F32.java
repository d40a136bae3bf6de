package dev.quern.core.format;

import java.lang.foreign.MemorySegment;

/** IEEE 754 binary32, little-endian. */
public record F32() implements WeightFormat {
  @Override
  public String name() {
    return "F32";
  }

  @Override
  public int ggufId() {
    return 0;
  }

  @Override
  public int blockElements() {
    return 1;
  }

  @Override
  public int blockBytes() {
    return 4;
  }

  @Override
  public Product product() {
    return Product.DENSE;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    target[at] = source.get(F32_BITS, offset);
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at, int count) {
    for (int i = 0; i < count; i++) {
      target[at + i] = source.get(F32_BITS, offset + 4L * i);
    }
  }
}
