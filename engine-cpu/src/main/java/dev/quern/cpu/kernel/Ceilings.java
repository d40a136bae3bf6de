package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;

/** Loops that do nothing but load or nothing but multiply-add, to see what a core can reach. */
public interface Ceilings {
  /** Bytes that {@link #sum} takes must be a multiple of this. */
  int UNIT = 1024;

  /** The sum of the float32 numbers in {@code bytes} bytes. */
  float sum(MemorySegment x, long at, long bytes);

  /** Runs independent chains of multiply-adds that stay finite; answers the sum of their ends. */
  float chains(int steps);

  /** Float32 operations of a step of {@link #chains}, a multiply-add being two. */
  int flopsPerStep();
}
