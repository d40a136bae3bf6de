package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code x = q · d}: 256 activations, 9.125 bits each; the form in which activations meet K-quants
 * and ternary weights. Never a weight.
 *
 * <p>Bytes: {@code d} <b>f32</b> at 0, negative when the extreme value is positive; {@code qs}
 * int8[256] at 4; {@code bsums} int16[16] at 260, the sums of 16 {@code qs} each.
 */
public record Q8_K() implements WeightFormat {
  @Override
  public String name() {
    return "Q8_K";
  }

  @Override
  public int ggufId() {
    return 15;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 292;
  }

  @Override
  public Product product() {
    return Product.NONE;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = source.get(F32_BITS, offset);
    for (int i = 0; i < 256; i++) {
      target[at + i] = source.get(ValueLayout.JAVA_BYTE, offset + 4 + i) * d;
    }
  }
}
