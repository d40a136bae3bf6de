package dev.quern.core.format;

import java.lang.foreign.MemorySegment;

/** bfloat16: the upper half of a binary32, little-endian, widened exactly. */
public record BF16() implements WeightFormat {
  @Override
  public String name() {
    return "BF16";
  }

  @Override
  public int ggufId() {
    return 30;
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
    target[at] = Float.intBitsToFloat(source.get(F16_BITS, offset) << 16);
  }
}
