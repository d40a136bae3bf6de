package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Decodes weights to float32, in their natural order. */
@FunctionalInterface
public interface Unpack {
  /**
   * Decodes {@code count} elements, which are whole blocks.
   *
   * @param w the stored weights
   * @param wAt where the first block starts
   * @param count elements
   * @param target receives float32
   * @param at where the first value goes
   * @param factors sixteen numbers of the worker's own, for the parts of a block
   */
  void run(MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors);
}
