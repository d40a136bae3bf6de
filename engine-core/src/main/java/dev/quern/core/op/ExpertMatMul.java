package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[r, j, n] = Σₖ x[r, j, k] · w[ids[r, j], n, k]}: each row through the experts that a
 * router chose for it (<a href="https://arxiv.org/abs/2401.04088">Mixtral</a>).
 *
 * <p>Shapes: x {@code [rows, K]} (the same for every chosen expert) or {@code [rows, used, K]}; w
 * {@code [experts, N, K]} of any weight format; ids {@code [rows, used]} I32, each in {@code [0,
 * experts)}; y {@code [rows, used, N]} F32. Counts as reading the whole stack.
 *
 * <p>Numbers and accuracy as for the {@link Projection} that takes the weight's format.
 *
 * @param x activations
 * @param w stack of expert matrices
 * @param ids chosen experts
 * @param y result
 */
public record ExpertMatMul(Tensor x, Tensor w, Tensor ids, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the columns of w differ from the length of x, or ids and y
   *     do not agree, or w is not in a weight format; names the tensors
   */
  public ExpertMatMul {
    Rules.f32("expert-matmul", x, y);
    Rules.format("expert-matmul", ids, WeightFormats.I32);
    Rules.rank("expert-matmul", w, 3);
    Rules.rank("expert-matmul", ids, 2);
    Rules.rank("expert-matmul", y, 3);
    Rules.constant("expert-matmul", w);
    Rules.check(
        w.format().product() != WeightFormat.Product.NONE,
        "expert-matmul: weight must be in a weight format but is %s",
        w);
    Rules.check(
        w.shape().last() == x.shape().last(),
        "expert-matmul: columns of weight %s must equal length of input %s",
        w,
        x);
    Rules.check(
        y.shape().last() == w.shape().dim(1) && y.shape().dim(1) == ids.shape().last(),
        "expert-matmul: result %s must be [rows, used, N] for ids %s and weight %s",
        y,
        ids,
        w);
    Rules.check(
        x.shape().rank() == 2 || (x.shape().rank() == 3 && x.shape().dim(1) == ids.shape().last()),
        "expert-matmul: input %s must be [rows, K] or [rows, used, K] for ids %s",
        x,
        ids);
    Rules.sameRows("expert-matmul", x, ids, y);
  }

  @Override
  public String name() {
    return "expert-matmul";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, w, ids);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public ExpertMatMul map(UnaryOperator<Tensor> change) {
    return new ExpertMatMul(change.apply(x), change.apply(w), change.apply(ids), change.apply(y));
  }
}
