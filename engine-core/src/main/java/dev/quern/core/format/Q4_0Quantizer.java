package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code d = m / −8} with {@code m} the number of largest absolute value, {@code q = ⌊x / d + 8.5⌋}
 * but at most 15.
 */
record Q4_0Quantizer() implements Quantizer {
  @Override
  public WeightFormat format() {
    return WeightFormats.Q4_0;
  }

  @Override
  public void quantize(float[] source, int from, MemorySegment target, long offset) {
    float d = Quantizers.extreme(source, from, 32) / -8;
    float inverse = Quantizers.inverse(d);
    target.set(WeightFormat.F16_BITS, offset, Float.floatToFloat16(d));
    for (int i = 0; i < 16; i++) {
      int low = quant(source[from + i] * inverse);
      int high = quant(source[from + 16 + i] * inverse);
      target.set(ValueLayout.JAVA_BYTE, offset + 2 + i, (byte) (low | (high << 4)));
    }
  }

  private static int quant(float x) {
    return Math.min(15, (int) (x + 8.5f));
  }
}
