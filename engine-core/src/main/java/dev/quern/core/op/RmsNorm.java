package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[…, i] = x[…, i] / √(mean(x²) + ε) · weight[i]}, the mean over the last dimension (<a
 * href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich 2019</a>).
 *
 * <p>Shapes: x and y are equal, of any rank, with last dimension n; weight {@code [n]}. With x as
 * {@code [rows, heads, n]} every head is normalised by itself. Numbers: F32, sums at least float32.
 *
 * <p>Accuracy: {@code 128ε · |y|}.
 *
 * @param x input
 * @param weight one factor a column
 * @param epsilon added to the mean square
 * @param y result
 */
public record RmsNorm(Tensor x, Tensor weight, float epsilon, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the weight is not a vector of the last dimension of x, or
   *     epsilon is negative
   */
  public RmsNorm {
    Rules.f32("rms-norm", x, weight, y);
    Rules.sameShape("rms-norm", x, y);
    Rules.rank("rms-norm", weight, 1);
    Rules.constant("rms-norm", weight);
    Rules.check(
        weight.shape().last() == x.shape().last(),
        "rms-norm: length of weight %s must equal last dimension of %s",
        weight,
        x);
    Rules.check(epsilon >= 0, "rms-norm: epsilon must not be negative but is %s", epsilon);
  }

  @Override
  public String name() {
    return "rms-norm";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, weight);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public RmsNorm map(UnaryOperator<Tensor> change) {
    return new RmsNorm(change.apply(x), change.apply(weight), epsilon, change.apply(y));
  }
}
