package dev.quern.transformer;

import java.util.BitSet;

/** Which sequences of a model's cache are free. */
final class Sequences {
  private final int count;
  private final BitSet taken = new BitSet();

  Sequences(int count) {
    this.count = count;
  }

  /**
   * Takes a free sequence.
   *
   * @throws ModelException if none is free
   */
  synchronized int acquire() {
    int free = taken.nextClearBit(0);
    if (free >= count) {
      throw new ModelException(
          "session: open sessions must be at most %d but one more is asked for; close one, or load"
                  .formatted(count)
              + " the model with LoadOptions.withSequences");
    }
    taken.set(free);
    return free;
  }

  synchronized boolean hasFree() {
    return taken.nextClearBit(0) < count;
  }

  synchronized void release(int sequence) {
    taken.clear(sequence);
  }
}
