package dev.quern.cpu.vector;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;

/** The twelve bytes of 6-bit scales and minima of Q4_K and Q5_K, eight bytes of a long each. */
final class KBlock {
  private KBlock() {}

  static long scales(MemorySegment w, long at) {
    int s = Lanes.int32(w, at);
    int both = Lanes.int32(w, at + 8);
    return join(s & 0x3F3F3F3F, (both & 0x0F0F0F0F) | ((s >>> 2) & 0x30303030));
  }

  static long minima(MemorySegment w, long at) {
    int m = Lanes.int32(w, at + 4);
    int both = Lanes.int32(w, at + 8);
    return join(m & 0x3F3F3F3F, ((both >>> 4) & 0x0F0F0F0F) | ((m >>> 2) & 0x30303030));
  }

  /** Byte {@code j}. */
  static int at(long bytes, int j) {
    return (int) (bytes >>> (8 * j)) & 255;
  }

  /** {@code Σⱼ bytes[j] · values[j]} over eight bytes and float32 values. */
  static float dot(long bytes, MemorySegment values, long at) {
    float sum = 0;
    for (int j = 0; j < 8; j++) {
      sum += at(bytes, j) * values.get(RowMath.F32, at + 4L * j);
    }
    return sum;
  }

  private static long join(int low, int high) {
    return (low & 0xFFFFFFFFL) | ((long) high << 32);
  }
}
