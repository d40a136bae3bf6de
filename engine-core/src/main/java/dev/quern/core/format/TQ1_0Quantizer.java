package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code d = max|x|}, {@code t = round(x / d)}. A byte is {@code ⌈256 · Q / 243⌉} for the base-3
 * number Q of five trits, the first most significant; the last bytes hold four and a zero.
 */
record TQ1_0Quantizer() implements Quantizer {
  @Override
  public WeightFormat format() {
    return WeightFormats.TQ1_0;
  }

  @Override
  public void quantize(float[] source, int from, MemorySegment target, long offset) {
    float d = Quantizers.largest(source, from, 256);
    float inverse = Quantizers.inverse(d);
    pack(source, from, 32, 5, inverse, target, offset);
    pack(source, from + 160, 16, 5, inverse, target, offset + 32);
    pack(source, from + 240, 4, 4, inverse, target, offset + 48);
    target.set(WeightFormat.F16_BITS, offset + 52, Float.floatToFloat16(d));
  }

  private static void pack(
      float[] source,
      int from,
      int bytes,
      int trits,
      float inverse,
      MemorySegment target,
      long offset) {
    for (int l = 0; l < bytes; l++) {
      int number = 0;
      for (int n = 0; n < 5; n++) {
        int trit = n < trits ? Quantizers.round(source[from + n * bytes + l] * inverse) + 1 : 0;
        number = 3 * number + trit;
      }
      target.set(ValueLayout.JAVA_BYTE, offset + l, (byte) ((number * 256 + 242) / 243));
    }
  }
}
