package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y = a + b}, element by element; b is repeated where it is smaller.
 *
 * <p>Shapes: a and y are equal; b has the same shape, or is a vector of their last dimension, or
 * has one element. Numbers: F32. Accuracy: {@code 2ε · |y|}.
 *
 * @param a first operand
 * @param b second operand
 * @param y result
 */
public record Add(Tensor a, Tensor b, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if b cannot be repeated to the shape of a, or the shapes of a
   *     and y differ
   */
  public Add {
    Rules.elementwise("add", a, b, y);
  }

  @Override
  public String name() {
    return "add";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(a, b);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public Add map(UnaryOperator<Tensor> change) {
    return new Add(change.apply(a), change.apply(b), change.apply(y));
  }
}
