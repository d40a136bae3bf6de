package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[r, n] = Σₖ x[r, k] · w[n, k]}: activations times a weight matrix stored row by output.
 * The three records differ in how the weight is stored.
 */
public sealed interface Projection extends Op permits MatMul, DequantMatMul, TernaryMatMul {
  /** Activations {@code [rows, K]}, F32. */
  Tensor x();

  /** The weight {@code [N, K]}. */
  Tensor w();

  /** The result {@code [rows, N]}, F32. */
  Tensor y();

  @Override
  default List<Tensor> reads() {
    return List.of(x(), w());
  }

  @Override
  default List<Tensor> writes() {
    return List.of(y());
  }

  @Override
  default Projection map(UnaryOperator<Tensor> change) {
    return of(change.apply(x()), change.apply(w()), change.apply(y()));
  }

  /**
   * The projection of {@code x} by {@code w} that fits the weight's format.
   *
   * @throws IllegalArgumentException if the format is not one of weights, or the shapes do not fit
   */
  static Projection of(Tensor x, Tensor w, Tensor y) {
    return switch (w.format().product()) {
      case DENSE -> new MatMul(x, w, y);
      case BLOCK -> new DequantMatMul(x, w, y);
      case TERNARY -> new TernaryMatMul(x, w, y);
      case NONE ->
          throw new IllegalArgumentException(
              "projection: weight must be in a weight format but is " + w);
    };
  }
}
