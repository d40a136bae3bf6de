package dev.quern.core.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * {@code s = −127 / m} with {@code m} the number of largest absolute value, {@code d = 1 / s},
 * {@code q = min(127, round(s · x))}, halves to even. So {@code d} is negative when {@code m} is
 * positive.
 */
record Q8_KQuantizer() implements Quantizer {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public WeightFormat format() {
    return WeightFormats.Q8_K;
  }

  @Override
  public void quantize(float[] source, int from, MemorySegment target, long offset) {
    float extreme = Quantizers.extreme(source, from, 256);
    if (extreme == 0) {
      target.asSlice(offset, format().blockBytes()).fill((byte) 0);
      return;
    }
    float scale = -127 / extreme;
    target.set(WeightFormat.F32_BITS, offset, 1 / scale);
    for (int group = 0; group < 16; group++) {
      int sum = 0;
      for (int i = 16 * group; i < 16 * group + 16; i++) {
        int q = (int) Math.min(127, Math.rint(scale * source[from + i]));
        target.set(ValueLayout.JAVA_BYTE, offset + 4 + i, (byte) q);
        sum += q;
      }
      target.set(SHORT, offset + 260 + 2L * group, (short) sum);
    }
  }
}
