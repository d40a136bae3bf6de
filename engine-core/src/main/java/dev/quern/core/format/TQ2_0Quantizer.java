package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** {@code d = max|x|}, codes {@code round(x / d) + 1} of two bits, four to a byte. */
record TQ2_0Quantizer() implements Quantizer {
  @Override
  public WeightFormat format() {
    return WeightFormats.TQ2_0;
  }

  @Override
  public void quantize(float[] source, int from, MemorySegment target, long offset) {
    float d = Quantizers.largest(source, from, 256);
    float inverse = Quantizers.inverse(d);
    for (int l = 0; l < 64; l++) {
      int first = from + 128 * (l / 32) + l % 32;
      int codes = 0;
      for (int n = 0; n < 4; n++) {
        int code = Quantizers.round(source[first + 32 * n] * inverse) + 1;
        codes |= code << (2 * n);
      }
      target.set(ValueLayout.JAVA_BYTE, offset + l, (byte) codes);
    }
    target.set(WeightFormat.F16_BITS, offset + 64, Float.floatToFloat16(d));
  }
}
