package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code w = t · d} with {@code t} in {−1, 0, +1}: 256 elements, five trits to a byte, 1.6875 bits
 * each.
 *
 * <p>Bytes: {@code qs[48]} at 0; {@code qh[4]} at 48; {@code d} f16 at 52. Trit {@code n} of a byte
 * is {@code (((byte · 3ⁿ) mod 256) · 3) / 256 − 1}. Elements 0–159 are trits 0–4 of bytes 0–31,
 * elements 160–239 those of bytes 32–47, elements 240–255 trits 0–3 of {@code qh}.
 */
public record TQ1_0() implements WeightFormat {
  @Override
  public String name() {
    return "TQ1_0";
  }

  @Override
  public int ggufId() {
    return 34;
  }

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 54;
  }

  @Override
  public Product product() {
    return Product.TERNARY;
  }

  @Override
  public void decode(MemorySegment source, long offset, float[] target, int at) {
    float d = Float.float16ToFloat(source.get(F16_BITS, offset + 52));
    trits(source, offset, 32, 5, d, target, at);
    trits(source, offset + 32, 16, 5, d, target, at + 160);
    trits(source, offset + 48, 4, 4, d, target, at + 240);
  }

  /** Decodes {@code trits} trits of each of {@code bytes} bytes, trit by trit. */
  private static void trits(
      MemorySegment source, long offset, int bytes, int trits, float d, float[] target, int at) {
    int power = 1;
    for (int n = 0; n < trits; n++) {
      for (int l = 0; l < bytes; l++) {
        int rest = ((source.get(ValueLayout.JAVA_BYTE, offset + l) & 255) * power) & 255;
        target[at + n * bytes + l] = (((rest * 3) >> 8) - 1) * d;
      }
      power *= 3;
    }
  }
}
