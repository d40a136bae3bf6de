package dev.quern.core.format;

import java.lang.foreign.MemorySegment;

/**
 * Rounds float32 numbers to a stored format. Bytes are equal to those of the reference quantizers
 * of ggml (without importance weights), which digests in the tests confirm.
 */
public interface Quantizer {
  /** The format that is written. */
  WeightFormat format();

  /**
   * Writes one block.
   *
   * @param source numbers, all finite
   * @param from index of the first of {@link WeightFormat#blockElements} numbers
   * @param target receives {@link WeightFormat#blockBytes} bytes
   * @param offset where the block starts; no alignment is assumed
   */
  void quantize(float[] source, int from, MemorySegment target, long offset);

  /**
   * Writes {@code count} numbers, which must be whole blocks.
   *
   * @throws IllegalArgumentException if they are not
   */
  default void quantize(float[] source, int from, int count, MemorySegment target, long offset) {
    long end = offset + format().bytes(count);
    for (; offset < end; offset += format().blockBytes()) {
      quantize(source, from, target, offset);
      from += format().blockElements();
    }
  }
}
