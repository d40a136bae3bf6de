package dev.quern.testkit;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Elements of F32, F16 and I32 tensors as numbers and as bits. */
final class Numbers {
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Numbers() {}

  static void set(MemorySegment bytes, WeightFormat format, long index, double value) {
    if (format.equals(WeightFormats.I32)) {
      bytes.set(I32, 4 * index, (int) value);
    } else if (format.equals(WeightFormats.F16)) {
      bytes.set(WeightFormat.F16_BITS, 2 * index, Float.floatToFloat16((float) value));
    } else if (format.equals(WeightFormats.F32)) {
      bytes.set(WeightFormat.F32_BITS, 4 * index, (float) value);
    } else {
      throw new IllegalArgumentException(
          "numbers: format must be F32, F16 or I32 but is " + format.name());
    }
  }

  static double get(MemorySegment bytes, WeightFormat format, long index) {
    if (format.equals(WeightFormats.I32)) {
      return bytes.get(I32, 4 * index);
    }
    return format.equals(WeightFormats.F16)
        ? Float.float16ToFloat(bytes.get(WeightFormat.F16_BITS, 2 * index))
        : bytes.get(WeightFormat.F32_BITS, 4 * index);
  }

  /** The stored bits of an element. */
  static int bits(MemorySegment bytes, WeightFormat format, long index) {
    return format.blockBytes() == 2
        ? bytes.get(WeightFormat.F16_BITS, 2 * index)
        : bytes.get(I32, 4 * index);
  }
}
