package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[r] = argmaxᵢ x[r, i]}; the lowest index where several are equal.
 *
 * <p>Shapes: x {@code [rows, n]} F32, y {@code [rows]} I32. Exact, for x without NaN.
 *
 * @param x input
 * @param y index of the largest element of each row
 */
public record ArgMax(Tensor x, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if x is not {@code [rows, n]} or y is not one I32 a row
   */
  public ArgMax {
    Rules.f32("arg-max", x);
    Rules.rank("arg-max", x, 2);
    Rules.index("arg-max", y, x);
  }

  @Override
  public String name() {
    return "arg-max";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public ArgMax map(UnaryOperator<Tensor> change) {
    return new ArgMax(change.apply(x), change.apply(y));
  }
}
