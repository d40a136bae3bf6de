package dev.quern.core;

import java.lang.foreign.MemorySegment;

/**
 * Persistent bytes owned by a backend.
 *
 * <p>Writes and reads are ordered with the submits of the backend: a write is seen by every later
 * submit and by none before it.
 */
public non-sealed interface Buffer extends Storage, AutoCloseable {
  /**
   * Copies {@code source} to {@code offset}. When this returns, {@code source} may be reused.
   *
   * @throws IndexOutOfBoundsException if the range leaves the buffer
   * @throws IllegalStateException if the buffer is closed or read-only, as adopted weights are
   */
  void write(long offset, MemorySegment source);

  /**
   * Copies bytes from {@code offset} into {@code target}, after all earlier submits have finished.
   *
   * @throws IndexOutOfBoundsException if the range leaves the buffer
   * @throws IllegalStateException if the buffer is closed
   */
  void read(long offset, MemorySegment target);

  /** How many allocations of the device it lies in: more than one where it is above the largest. */
  default int parts() {
    return 1;
  }

  /** Gives the bytes back. Closing twice does nothing. */
  @Override
  void close();
}
