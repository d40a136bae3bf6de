package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The shape and format rules that operations share. Every message names the tensors. */
final class Rules {
  private Rules() {}

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
  static void check(boolean holds, String message, @Nullable Object... values) {
    if (!holds) {
      throw new IllegalArgumentException(message.formatted(values));
    }
  }

  static void format(String op, Tensor tensor, WeightFormat... allowed) {
    check(
        List.of(allowed).contains(tensor.format()),
        "%s: format of %s must be one of %s",
        op,
        tensor,
        List.of(allowed).stream().map(WeightFormat::name).toList());
  }

  static void f32(String op, Tensor... tensors) {
    for (Tensor tensor : tensors) {
      format(op, tensor, WeightFormats.F32);
    }
  }

  static void rank(String op, Tensor tensor, int rank) {
    check(tensor.shape().rank() == rank, "%s: %s must have %d dimensions", op, tensor, rank);
  }

  /** Same rows, and the number of live rows from the same slot. */
  static void sameRows(String op, Tensor first, Tensor... others) {
    for (Tensor other : others) {
      check(
          first.shape().rows() == other.shape().rows(),
          "%s: rows of %s must equal rows of %s",
          op,
          other,
          first);
      check(
          Objects.equals(first.liveRows(), other.liveRows()),
          "%s: live rows of %s must come from the slot of %s, %s, but come from %s",
          op,
          other,
          first,
          first.liveRows(),
          other.liveRows());
    }
  }

  static void sameShape(String op, Tensor first, Tensor... others) {
    for (Tensor other : others) {
      check(
          first.shape().equals(other.shape()),
          "%s: shape of %s must equal shape of %s",
          op,
          other,
          first);
    }
    sameRows(op, first, others);
  }

  /** One I32 a row of {@code x}. */
  static void index(String op, Tensor index, Tensor x) {
    format(op, index, WeightFormats.I32);
    rank(op, index, 1);
    sameRows(op, x, index);
  }

  /** A constant: all rows live. */
  static void constant(String op, Tensor tensor) {
    check(tensor.liveRows() == null, "%s: %s must be a constant but has live rows", op, tensor);
  }

  static void projection(String op, WeightFormat.Product product, Tensor x, Tensor w, Tensor y) {
    f32(op, x, y);
    rank(op, x, 2);
    rank(op, y, 2);
    rank(op, w, 2);
    constant(op, w);
    check(
        w.format().product() == product,
        "%s: format of weight %s must be %s but is %s",
        op,
        w,
        product,
        w.format().product());
    check(
        w.shape().last() == x.shape().last(),
        "%s: columns of weight %s must equal length of input %s",
        op,
        w,
        x);
    check(
        y.shape().last() == w.shape().rows(),
        "%s: length of result %s must equal rows of weight %s",
        op,
        y,
        w);
    sameRows(op, x, y);
  }

  /** {@code b} has the shape of {@code a}, or is one row of it, or one element. */
  static void elementwise(String op, Tensor a, Tensor b, Tensor y) {
    f32(op, a, b, y);
    sameShape(op, a, y);
    if (b.shape().equals(a.shape())) {
      sameRows(op, a, b);
    } else {
      check(
          b.shape().rank() == 1 && (b.shape().last() == 1 || b.shape().last() == a.shape().last()),
          "%s: %s must have the shape of %s, or be a vector of its length, or one element",
          op,
          b,
          a);
      constant(op, b);
    }
  }
}
