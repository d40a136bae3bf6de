package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;

/**
 * {@code y[r, n] = Σₖ x[r, k] · dequant(w)[n, k]} with a block-quantised weight, dequantised inside
 * the product: the weight is read once, as stored.
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
 * @param w weight, in blocks with scales (Q4_0, Q8_0, Q4_K, …)
 * @param y result
 */
public record DequantMatMul(Tensor x, Tensor w, Tensor y) implements Projection {
  /**
   * @throws IllegalArgumentException if the columns of w differ from the length of x, the result
   *     does not fit, or the format of w is of another projection; names both tensors
   */
  public DequantMatMul {
    Rules.projection("dequant-matmul", WeightFormat.Product.BLOCK, x, w, y);
  }

  @Override
  public String name() {
    return "dequant-matmul";
  }
}
