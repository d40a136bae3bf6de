package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;

/**
 * {@code y[r, n] = Σₖ x[r, k] · t[n, k] · d} with weights {@code t} in {−1, 0, +1} and one scale
 * {@code d} a block, as in <a href="https://arxiv.org/abs/2402.17764">BitNet b1.58</a>.
 *
 * <p>Shapes: x {@code [rows, K]}, w {@code [N, K]}, y {@code [rows, N]}.
 *
 * <p>Numbers: x and y are F32. In {@code EXACT} products and sums are at least float32; in {@code
 * FAST} x may be rounded to int8 or f16 first.
 *
 * <p>Accuracy: {@code |error| ≤ 64 · ε · Σ|xₖ·wₖ|} in {@code EXACT}, {@code 1e-2 · Σ|xₖ·wₖ|} in
 * {@code FAST}.
 *
 * @param x activations
 * @param w weight, ternary (TQ1_0, TQ2_0)
 * @param y result
 */
public record TernaryMatMul(Tensor x, Tensor w, Tensor y) implements Projection {
  /**
   * @throws IllegalArgumentException if the columns of w differ from the length of x, the result
   *     does not fit, or the format of w is of another projection; names both tensors
   */
  public TernaryMatMul {
    Rules.projection("ternary-matmul", WeightFormat.Product.TERNARY, x, w, y);
  }

  @Override
  public String name() {
    return "ternary-matmul";
  }
}
