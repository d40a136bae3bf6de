package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[r, n] = Σⱼ weights[r, j] · x[r, j, n]}: the results of the chosen experts, weighted.
 *
 * <p>Shapes: x {@code [rows, used, N]}, weights {@code [rows, used]}, y {@code [rows, N]}. Numbers:
 * F32.
 *
 * <p>Accuracy: {@code 16ε · Σ|weightsⱼ · xⱼ|}.
 *
 * @param x results of the experts
 * @param weights one factor for each
 * @param y result
 */
public record ExpertSum(Tensor x, Tensor weights, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the shapes do not agree
   */
  public ExpertSum {
    Rules.f32("expert-sum", x, weights, y);
    Rules.rank("expert-sum", x, 3);
    Rules.rank("expert-sum", weights, 2);
    Rules.rank("expert-sum", y, 2);
    Rules.check(
        weights.shape().last() == x.shape().dim(1) && y.shape().last() == x.shape().last(),
        "expert-sum: weights %s and result %s must fit %s",
        weights,
        y,
        x);
    Rules.sameRows("expert-sum", x, weights, y);
  }

  @Override
  public String name() {
    return "expert-sum";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, weights);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public ExpertSum map(UnaryOperator<Tensor> change) {
    return new ExpertSum(change.apply(x), change.apply(weights), change.apply(y));
  }
}
