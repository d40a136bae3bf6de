package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import org.jspecify.annotations.Nullable;

/**
 * A view of storage as an array of elements, contiguous, last dimension fastest.
 *
 * @param name the name used in messages
 * @param storage where the bytes are
 * @param offset byte offset of the first element
 * @param shape extents; for a tensor with live rows, dimension 0 is the capacity
 * @param format how elements are stored
 * @param liveRows the slot that holds how many rows are live in a submit, or null if all are. Dead
 *     rows are neither computed nor written
 */
public record Tensor(
    String name,
    Storage storage,
    long offset,
    Shape shape,
    WeightFormat format,
    Slot.@Nullable Count liveRows) {

  /**
   * @throws IllegalArgumentException if a row is not a whole number of blocks, the view leaves its
   *     storage, or the live rows can exceed the capacity
   */
  public Tensor {
    if (shape.last() % format.blockElements() != 0) {
      throw new IllegalArgumentException(
          "tensor %s%s: last dimension must be a multiple of the %d elements of a %s block but is %d"
              .formatted(name, shape, format.blockElements(), format.name(), shape.last()));
    }
    long bytes = format.bytes(shape.elements());
    if (offset < 0 || offset > storage.bytes() - bytes) {
      throw new IllegalArgumentException(
          "tensor %s%s: bytes %d to %d must lie in %s but it has %d bytes"
              .formatted(name, shape, offset, offset + bytes, storage.name(), storage.bytes()));
    }
    if (liveRows != null && liveRows.max() > shape.rows()) {
      throw new IllegalArgumentException(
          "tensor %s%s: capacity must hold the most rows of slot %s but that is %d"
              .formatted(name, shape, liveRows.name(), liveRows.max()));
    }
  }

  /** A tensor over the whole of {@code storage}, all rows live. */
  public static Tensor of(String name, Storage storage, Shape shape, WeightFormat format) {
    return new Tensor(name, storage, 0, shape, format, null);
  }

  /** A tensor over the bytes of {@code storage} from {@code offset} on, all rows live. */
  public static Tensor of(
      String name, Storage storage, long offset, Shape shape, WeightFormat format) {
    return new Tensor(name, storage, offset, shape, format, null);
  }

  /** The size in bytes, dead rows included. */
  public long bytes() {
    return format.bytes(shape.elements());
  }

  /** The size of one row in bytes. */
  public long rowBytes() {
    return bytes() / shape.rows();
  }

  /**
   * The same bytes seen with another shape of as many elements.
   *
   * @throws IllegalArgumentException if the number of elements differs, or rows are live and their
   *     capacity changes
   */
  public Tensor reshape(Shape changed) {
    if (changed.elements() != shape.elements()
        || (liveRows != null && changed.rows() != shape.rows())) {
      throw new IllegalArgumentException(
          "reshape: elements%s of %s must stay the same but the new shape is %s"
              .formatted(liveRows == null ? "" : " and rows", this, changed));
    }
    return new Tensor(name, storage, offset, changed, format, liveRows);
  }

  /** The same bytes with the number of live rows taken from {@code slot}. */
  public Tensor withLiveRows(Slot.Count slot) {
    return new Tensor(name, storage, offset, shape, format, slot);
  }

  /**
   * Rows {@code first} to {@code first + count - 1} of this tensor.
   *
   * @throws IllegalArgumentException if the range leaves the tensor or rows are live
   */
  public Tensor rows(long first, long count) {
    if (first < 0 || count < 1 || first > shape.rows() - count || liveRows != null) {
      throw new IllegalArgumentException(
          "rows: %d to %d must be rows of %s, all live".formatted(first, first + count, this));
    }
    String part = "%s[%d..%d]".formatted(name, first, first + count);
    return new Tensor(
        part, storage, offset + first * rowBytes(), shape.withRows(count), format, null);
  }

  /** For example {@code blk.3.ffn_up[8192, 2048]:Q4_K}. */
  @Override
  public String toString() {
    return name + shape + ":" + format.name();
  }
}
