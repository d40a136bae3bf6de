package dev.quern.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The extents of a tensor, slowest dimension first: elements of the last dimension are contiguous.
 *
 * <p>Dimension 0 is called the rows. Of an activation they are tokens, of a weight matrix {@code
 * [N, K]} they are the N outputs.
 *
 * @param dimensions extents, each at least 1
 */
public record Shape(List<Long> dimensions) {
  /**
   * @throws IllegalArgumentException if there is no dimension, one is below 1, or the number of
   *     elements does not fit 63 bits
   */
  public Shape {
    dimensions = List.copyOf(dimensions);
    if (dimensions.isEmpty()) {
      throw new IllegalArgumentException("shape: must have at least one dimension but has none");
    }
    long elements = 1;
    for (long extent : dimensions) {
      if (extent < 1) {
        throw new IllegalArgumentException(
            "shape: every dimension must be at least 1 but is " + dimensions);
      }
      if (elements > Long.MAX_VALUE / extent) {
        throw new IllegalArgumentException(
            "shape: elements must fit 63 bits but the dimensions are " + dimensions);
      }
      elements *= extent;
    }
  }

  /** The shape with these extents, slowest first. */
  public static Shape of(long... extents) {
    return new Shape(Arrays.stream(extents).boxed().toList());
  }

  /** The number of dimensions. */
  public int rank() {
    return dimensions.size();
  }

  /** The extent of dimension {@code index}, counted from the slowest. */
  public long dim(int index) {
    return dimensions.get(index);
  }

  /** The extent of dimension 0. */
  public long rows() {
    return dimensions.getFirst();
  }

  /** The extent of the last, contiguous dimension. */
  public long last() {
    return dimensions.getLast();
  }

  /** The number of elements in one row: the product of all dimensions but the first. */
  public long rowElements() {
    return elements() / rows();
  }

  /** The number of elements. */
  public long elements() {
    long elements = 1;
    for (long extent : dimensions) {
      elements *= extent;
    }
    return elements;
  }

  /** This shape with another extent of dimension 0. */
  public Shape withRows(long rows) {
    List<Long> changed = new ArrayList<>(dimensions);
    changed.set(0, rows);
    return new Shape(changed);
  }

  /** For example {@code [8, 4096]}. */
  @Override
  public String toString() {
    return dimensions.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}
