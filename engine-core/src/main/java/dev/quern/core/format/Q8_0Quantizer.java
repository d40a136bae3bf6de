package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** {@code d = max|x| / 127}, {@code q = round(x / d)}, halves away from zero. */
record Q8_0Quantizer() implements Quantizer {
  @Override
  public WeightFormat format() {
    return WeightFormats.Q8_0;
  }

  @Override
  public void quantize(float[] source, int from, MemorySegment target, long offset) {
    float d = Quantizers.largest(source, from, 32) / 127;
    float inverse = Quantizers.inverse(d);
    target.set(WeightFormat.F16_BITS, offset, Float.floatToFloat16(d));
    for (int i = 0; i < 32; i++) {
      int q = Quantizers.round(source[from + i] * inverse);
      target.set(ValueLayout.JAVA_BYTE, offset + 2 + i, (byte) q);
    }
  }
}
