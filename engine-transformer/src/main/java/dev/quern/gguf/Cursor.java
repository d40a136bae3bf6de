package dev.quern.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A position in a file. Nothing is read, skipped or allocated before it is known to lie inside the
 * file and inside the limit on metadata.
 */
final class Cursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String source;
  private final MemorySegment file;
  private final long end;
  private long at;

  /** Reads {@code file} up to byte {@code limit} at most. */
  Cursor(String source, MemorySegment file, long limit) {
    this.source = source;
    this.file = file;
    this.end = Math.min(file.byteSize(), limit);
  }

  long at() {
    return at;
  }

  int getInt(String what) {
    need(Integer.BYTES, what);
    int value = file.get(INT, at);
    at += Integer.BYTES;
    return value;
  }

  long getLong(String what) {
    need(Long.BYTES, what);
    long value = file.get(LONG, at);
    at += Long.BYTES;
    return value;
  }

  byte[] getBytes(long count, String what) {
    need(count, what);
    byte[] bytes = new byte[(int) count];
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at, bytes, 0, bytes.length);
    at += count;
    return bytes;
  }

  /** A count that is followed by at least {@code bytesEach} bytes for each of what it counts. */
  int getCount(long bytesEach, long most, String what) {
    long start = at;
    long count = getLong(what);
    long room = Math.min(most, (end - at) / bytesEach);
    if (count < 0 || count > room) {
      throw GgufException.at(
          source,
          start,
          "%s must be at most %d (%s) but is %s; the file is damaged or cut short"
              .formatted(
                  what,
                  room,
                  room == most ? "the limit" : "what the rest can hold",
                  Long.toUnsignedString(count)));
    }
    return (int) count;
  }

  /** A string of at most {@code most} bytes. */
  String getString(long most, String what) {
    int length = getCount(1, most, "length of " + what);
    return new String(getBytes(length, what), StandardCharsets.UTF_8);
  }

  /** {@code count} strings, without making them. */
  GgufStrings getStrings(int count, String what) {
    long start = at;
    int[] starts = new int[count + 1];
    for (int i = 0; i < count; i++) {
      need(Long.BYTES, what);
      long length = file.get(LONG, at);
      at += Long.BYTES;
      if (length < 0 || length > end - at) {
        throw GgufException.at(
            source,
            at - Long.BYTES,
            "length of string %d of %s must be at most %d (what the rest can hold) but is %s"
                .formatted(i, what, end - at, Long.toUnsignedString(length)));
      }
      starts[i] = (int) (at - start);
      at += length;
    }
    long bytes = at - start;
    starts[count] = (int) (bytes + Long.BYTES);
    at = start;
    return new GgufStrings(getBytes(bytes, what), starts);
  }

  GgufException problem(long offset, String problem) {
    return GgufException.at(source, offset, problem);
  }

  private void need(long bytes, String what) {
    if (bytes > end - at) {
      throw GgufException.at(
          source,
          at,
          "%s must have %d bytes but %d are left; the file is damaged or cut short"
              .formatted(what, bytes, end - at));
    }
  }
}
