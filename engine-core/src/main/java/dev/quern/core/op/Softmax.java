package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[…, i] = e^(xᵢ − m) / Σⱼ e^(xⱼ − m)} over the last dimension, with m its maximum.
 *
 * <p>Shapes: x and y are equal, of any rank. Numbers: F32.
 *
 * <p>Accuracy: {@code 256ε · |y|}, which float32 exponentials and sums keep.
 *
 * @param x input
 * @param y result
 */
public record Softmax(Tensor x, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the shapes differ or a tensor is not F32
   */
  public Softmax {
    Rules.f32("softmax", x, y);
    Rules.sameShape("softmax", x, y);
  }

  @Override
  public String name() {
    return "softmax";
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
  public Softmax map(UnaryOperator<Tensor> change) {
    return new Softmax(change.apply(x), change.apply(y));
  }
}
