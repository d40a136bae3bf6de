package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.Buffer;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * Bytes in a buffer with sentinels around them: before and after them in the same buffer, and in
 * two more buffers, which a backend that places buffers in arenas is likely to place beside it.
 */
final class Guarded implements AutoCloseable {
  private static final byte SENTINEL = (byte) 0xa5;
  private static final int PAD = 256;

  private final String name;
  private final Buffer before;
  private final Buffer buffer;
  private final Buffer after;
  private final long offset;
  private final long bytes;
  private MemorySegment written = MemorySegment.NULL;

  Guarded(Backend backend, String name, long offset, long bytes) {
    this.name = name;
    this.offset = offset;
    this.bytes = bytes;
    before = filled(backend.allocate(name + ".before", PAD));
    buffer = filled(backend.allocate(name, offset + bytes + PAD));
    after = filled(backend.allocate(name + ".after", PAD));
  }

  Buffer buffer() {
    return buffer;
  }

  long bytes() {
    return bytes;
  }

  void write(MemorySegment source) {
    written = source;
    buffer.write(offset, source);
  }

  /** Fills with 32-bit words, or 16-bit halves of them. */
  void fill(int bits) {
    MemorySegment words = MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
    for (long i = 0; i < bytes / 4; i++) {
      Numbers.set(words, WeightFormats.I32, i, bits);
    }
    buffer.write(offset, words);
  }

  MemorySegment read() {
    return read(buffer, offset, bytes);
  }

  boolean unchanged() {
    return written.mismatch(read()) < 0;
  }

  /** Which sentinel was overwritten, if one was. */
  Optional<String> damage() {
    boolean whole =
        intact(read(before, 0, PAD))
            && intact(read(buffer, 0, offset))
            && intact(read(buffer, offset + bytes, PAD))
            && intact(read(after, 0, PAD));
    return whole ? Optional.empty() : Optional.of("bytes around %s were written".formatted(name));
  }

  @Override
  public void close() {
    after.close();
    buffer.close();
    before.close();
  }

  private static Buffer filled(Buffer buffer) {
    byte[] sentinels = new byte[Math.toIntExact(buffer.bytes())];
    Arrays.fill(sentinels, SENTINEL);
    buffer.write(0, MemorySegment.ofArray(sentinels));
    return buffer;
  }

  private static MemorySegment read(Buffer buffer, long offset, long bytes) {
    MemorySegment target = MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
    buffer.read(offset, target);
    return target;
  }

  private static boolean intact(MemorySegment bytes) {
    for (byte value : bytes.toArray(ValueLayout.JAVA_BYTE)) {
      if (value != SENTINEL) {
        return false;
      }
    }
    return true;
  }
}
