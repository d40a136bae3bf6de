package dev.quern.core;

/**
 * A hole in a batch. Holes for bytes that are neither inputs nor outputs of the batch are
 * temporaries, which the backend lays out; all others are filled by {@link Bindings} at submit.
 */
public sealed interface Slot {
  /** The position of this slot in its batch, from 0; unique within the batch. */
  int id();

  /** The name used in messages and bindings. */
  String name();

  /**
   * A hole for bytes.
   *
   * @param id position in the batch
   * @param name name for messages
   * @param bytes the least size of the buffer bound to it
   */
  record Bytes(int id, String name, long bytes) implements Slot, Storage {}

  /**
   * A hole for a count that changes from submit to submit, such as the number of live rows.
   *
   * @param id position in the batch
   * @param name name for messages
   * @param max the largest value that may be bound; the smallest is 0
   */
  record Count(int id, String name, int max) implements Slot {}
}
