package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y = f(x)}, element by element, for a function of one number.
 *
 * <p>Shapes: x and y are equal, of any rank. Numbers: F32.
 *
 * <p>Accuracy: that of the {@link Function}.
 *
 * @param x input
 * @param function what is computed of each element
 * @param y result
 */
public record Pointwise(Tensor x, Function function, Tensor y) implements Op {
  /** A function of one number. */
  public sealed interface Function {
    /**
     * {@code x · Φ(x)} with the normal distribution's function Φ approximated: {@code x / (1 +
     * e⁻²ᵘ)} with {@code u = √(2/π) · (x + 0.044715·x³)}, the same as {@code x/2 · (1 + tanh u)}
     * (<a href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel 2016</a>).
     *
     * <p>Accuracy: relative error {@code 2⁻²¹ · (1 + |2u|)}, which is that of an exponential whose
     * argument is rounded; 0 (not NaN) where x is very negative.
     */
    record Gelu() implements Function {}

    /**
     * {@code cap · tanh(x / cap)} (<a href="https://arxiv.org/abs/2408.00118">Gemma 2</a>).
     *
     * <p>Accuracy: {@code 2⁻²¹ · cap}.
     *
     * @param cap bound of the result, positive
     */
    record SoftCap(float cap) implements Function {
      /**
       * @throws IllegalArgumentException if the cap is not positive
       */
      public SoftCap {
        Rules.check(cap > 0, "pointwise: soft cap must be positive but is %s", cap);
      }
    }

    /**
     * {@code min(max(x, low), high)}. Exact.
     *
     * @param low least result, may be negative infinity
     * @param high greatest result, may be infinity
     */
    record Clamp(float low, float high) implements Function {
      /**
       * @throws IllegalArgumentException if low exceeds high
       */
      public Clamp {
        Rules.check(low <= high, "pointwise: clamp must be from low to high but is %s", this);
      }
    }
  }

  /**
   * @throws IllegalArgumentException if the shapes differ or a tensor is not F32
   */
  public Pointwise {
    Rules.f32("pointwise", x, y);
    Rules.sameShape("pointwise", x, y);
  }

  @Override
  public String name() {
    return "pointwise";
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
  public Pointwise map(UnaryOperator<Tensor> change) {
    return new Pointwise(change.apply(x), function, change.apply(y));
  }
}
