package dev.quern.core.format;

import java.lang.foreign.MemorySegment;

/** 32-bit signed integers, little-endian: token ids, positions, expert ids. Never a weight. */
public record I32() implements WeightFormat {
  @Override
  public String name() {
    return "I32";
  }

  @Override
  public int ggufId() {
    return 26;
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
    return Product.NONE;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    target[at] = Float.floatToRawIntBits(source.get(F32_BITS, offset));
  }
}
