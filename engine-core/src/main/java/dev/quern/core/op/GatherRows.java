package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[m] = x[indices[m]]}: selected rows, so that the output head runs only where it is
 * wanted.
 *
 * <p>Shapes: x {@code [rows, n]} F32; indices {@code [selected]} I32, each the number of a live row
 * of x; y {@code [selected, n]} F32. Exact. The live rows of y are those of the indices.
 *
 * @param x input
 * @param indices which rows
 * @param y result
 */
public record GatherRows(Tensor x, Tensor indices, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the lengths of x and y differ
   */
  public GatherRows {
    Rules.f32("gather-rows", x, y);
    Rules.rank("gather-rows", x, 2);
    Rules.rank("gather-rows", y, 2);
    Rules.index("gather-rows", indices, y);
    Rules.check(
        x.shape().last() == y.shape().last(),
        "gather-rows: length of %s must equal length of %s",
        y,
        x);
  }

  @Override
  public String name() {
    return "gather-rows";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, indices);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public GatherRows map(UnaryOperator<Tensor> change) {
    return new GatherRows(change.apply(x), change.apply(indices), change.apply(y));
  }
}
