package dev.quern.cpu.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Bits of stored blocks, moved when weights are interleaved. */
final class Words {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(Lanes.LE);

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(Lanes.LE);

  private Words() {}

  /** Two bytes. */
  static short int16(MemorySegment w, long at) {
    return w.get(SHORT, at);
  }

  /** Eight bytes. */
  static long int64(MemorySegment w, long at) {
    return w.get(LONG, at);
  }

  /** Puts 32 bits into two shorts. */
  static void put(long bits, short[] shorts, int at) {
    shorts[at] = (short) bits;
    shorts[at + 1] = (short) (bits >>> 16);
  }
}
