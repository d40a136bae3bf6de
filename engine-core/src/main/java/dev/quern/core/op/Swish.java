package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y = x / (1 + e⁻ˣ)}, also called SiLU (<a
 * href="https://arxiv.org/abs/1710.05941">Ramachandran et al. 2017</a>).
 *
 * <p>Shapes: x and y are equal, of any rank. Numbers: F32.
 *
 * <p>Accuracy: {@code 8ε · |y|} in {@code EXACT}, {@code 256ε · |y|} in {@code FAST}; 0 (not NaN)
 * where x is very negative.
 *
 * @param x input
 * @param y result
 */
public record Swish(Tensor x, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the shapes differ or a tensor is not F32
   */
  public Swish {
    Rules.f32("swish", x, y);
    Rules.sameShape("swish", x, y);
  }

  @Override
  public String name() {
    return "swish";
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
  public Swish map(UnaryOperator<Tensor> change) {
    return new Swish(change.apply(x), change.apply(y));
  }
}
