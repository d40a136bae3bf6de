package dev.quern.core;

import dev.quern.core.op.Op;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The values of a batch's slots for a submit. Made once per batch and changed in place, so that a
 * token allocates nothing. Not thread-safe.
 */
public final class Bindings {
  private final CommandBatch batch;
  private final List<Slot.Bytes> bound;
  private final Set<Slot.Bytes> written;
  private final @Nullable Buffer[] buffers;
  private final int[] counts;

  Bindings(CommandBatch batch) {
    this.batch = batch;
    bound = List.copyOf(batch.bound());
    written = new HashSet<>();
    for (Op op : batch.ops()) {
      for (Tensor tensor : op.writes()) {
        if (tensor.storage() instanceof Slot.Bytes slot) {
          written.add(slot);
        }
      }
    }
    int slots = batch.slots().size();
    buffers = new Buffer[slots];
    counts = new int[slots];
    for (Slot slot : batch.slots()) {
      if (slot instanceof Slot.Count count) {
        counts[slot.id()] = count.max();
      }
    }
  }

  /**
   * Binds a count. A count that was never bound is its maximum.
   *
   * @throws IllegalArgumentException if the value is negative or above the slot's maximum
   */
  public Bindings set(Slot.Count slot, int value) {
    own(slot);
    if (value < 0 || value > slot.max()) {
      throw new IllegalArgumentException(
          "%s: slot %s must be between 0 and %d but is %d"
              .formatted(batch.name(), slot.name(), slot.max(), value));
    }
    counts[slot.id()] = value;
    return this;
  }

  /**
   * Binds the storage of an input or output tensor. Slots that a batch only reads may share a
   * buffer; what it writes needs one of its own, for steps on different slots run in any order.
   *
   * @throws IllegalArgumentException if the tensor is not an input or output of the batch, or the
   *     buffer is too small
   */
  public Bindings set(Tensor tensor, Buffer buffer) {
    if (!(tensor.storage() instanceof Slot.Bytes slot) || !bound.contains(slot)) {
      throw new IllegalArgumentException(
          "%s: %s must be an input or output of the batch to be bound"
              .formatted(batch.name(), tensor));
    }
    own(slot);
    if (buffer.bytes() < slot.bytes()) {
      throw new IllegalArgumentException(
          "%s: buffer %s must hold the %d bytes of %s but has %d"
              .formatted(batch.name(), buffer.name(), slot.bytes(), tensor, buffer.bytes()));
    }
    buffers[slot.id()] = buffer;
    return this;
  }

  /** The value of a count. */
  public int get(Slot.Count slot) {
    return counts[slot.id()];
  }

  /**
   * The buffer bound to a slot.
   *
   * @throws IllegalArgumentException if none is
   */
  public Buffer get(Slot.Bytes slot) {
    Buffer buffer = buffers[slot.id()];
    if (buffer == null) {
      throw new IllegalArgumentException(
          "%s: slot %s must be bound before submit but is not; call Bindings.set"
              .formatted(batch.name(), slot.name()));
    }
    return buffer;
  }

  /**
   * Checks that a submit of {@code compiled} can use these bindings; backends call it first.
   *
   * @throws IllegalArgumentException if they are of another batch, a slot is unbound, or one that
   *     is written shares its buffer with another
   */
  @SuppressWarnings("ReferenceEquality") // equal batches have equal slots, but comparing is slow
  public void check(CommandBatch compiled) {
    if (batch != compiled) {
      throw new IllegalArgumentException(
          "%s: bindings must be of the batch that is submitted but are of %s; call bindings() of it"
              .formatted(compiled.name(), batch.name()));
    }
    for (int i = 0; i < bound.size(); i++) {
      Buffer buffer = get(bound.get(i));
      for (int j = 0; j < i; j++) {
        if (buffers[bound.get(j).id()] == buffer) {
          requireRead(bound.get(i), bound.get(j), buffer);
        }
      }
    }
  }

  private void requireRead(Slot.Bytes one, Slot.Bytes other, Buffer shared) {
    if (written.contains(one) || written.contains(other)) {
      throw new IllegalArgumentException(
          "%s: a slot that is written must have a buffer of its own but %s and %s share %s"
              .formatted(batch.name(), other.name(), one.name(), shared.name()));
    }
  }

  /** How many rows of {@code tensor} are live under these bindings. */
  public int liveRows(Tensor tensor) {
    Slot.Count slot = tensor.liveRows();
    return slot == null ? Math.toIntExact(tensor.shape().rows()) : counts[slot.id()];
  }

  /** The batch whose slots these are. */
  public CommandBatch batch() {
    return batch;
  }

  private void own(Slot slot) {
    if (slot.id() >= batch.slots().size() || !batch.slots().get(slot.id()).equals(slot)) {
      throw new IllegalArgumentException(
          "%s: slot %s must belong to the batch but does not".formatted(batch.name(), slot.name()));
    }
  }
}
