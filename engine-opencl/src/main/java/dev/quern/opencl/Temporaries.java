package dev.quern.opencl;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;

/** Hands out the temporaries that steps of one batch add to those of its operations. */
final class Temporaries {
  private int nextSlot;

  /**
   * Temporaries of one batch.
   *
   * @param firstSlot the first number that no slot of the batch has
   */
  Temporaries(int firstSlot) {
    nextSlot = firstSlot;
  }

  /** A tensor of words over {@code bytes} bytes, a multiple of 4. */
  Tensor words(String name, long bytes) {
    Slot.Bytes slot = new Slot.Bytes(nextSlot++, name, bytes);
    return Tensor.of(name, slot, Shape.of(1, bytes / Integer.BYTES), WeightFormats.I32);
  }
}
