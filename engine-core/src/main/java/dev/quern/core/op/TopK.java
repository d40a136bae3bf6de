package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The k largest elements of each row, largest first, the lower index first where two are equal.
 *
 * <p>Shapes: x {@code [rows, n]} F32; values {@code [rows, k]} F32; ids {@code [rows, k]} I32; k at
 * most n. Exact, for x without NaN.
 *
 * @param x input
 * @param values the largest elements
 * @param ids their indices
 */
public record TopK(Tensor x, Tensor values, Tensor ids) implements Op {
  /**
   * @throws IllegalArgumentException if k exceeds n or the shapes of values and ids differ
   */
  public TopK {
    Rules.f32("top-k", x, values);
    Rules.format("top-k", ids, WeightFormats.I32);
    Rules.rank("top-k", x, 2);
    Rules.rank("top-k", values, 2);
    Rules.sameShape("top-k", values, ids);
    Rules.sameRows("top-k", x, values);
    Rules.check(
        values.shape().last() <= x.shape().last(),
        "top-k: length of %s must not exceed length of %s",
        values,
        x);
  }

  @Override
  public String name() {
    return "top-k";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(values, ids);
  }

  @Override
  public TopK map(UnaryOperator<Tensor> change) {
    return new TopK(change.apply(x), change.apply(values), change.apply(ids));
  }
}
