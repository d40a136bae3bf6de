package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Rotary position embedding: for pair {@code (u, v)} number i of a head at position p, {@code u' =
 * u·c − v·s}, {@code v' = u·s + v·c} with {@code (c, s) = table[p, i]} (<a
 * href="https://arxiv.org/abs/2104.09864">Su et al. 2021</a>).
 *
 * <p>Shapes: x and y {@code [rows, heads, size]}; positions {@code [rows]} I32; table {@code
 * [context, pairs, 2]} with {@code 2·pairs ≤ size}; elements from {@code 2·pairs} on are copied.
 *
 * <p>Numbers: F32. The table is made on the host with float32 inverse frequencies and angles, as
 * the reference implementations do, so that long positions agree with them.
 *
 * <p>Accuracy: {@code 8ε · max|y|}.
 *
 * @param x input
 * @param positions position of each row, in {@code [0, context)}
 * @param table cosines and sines
 * @param pairing which elements form a pair
 * @param y result
 */
public record Rope(Tensor x, Tensor positions, Tensor table, Pairing pairing, Tensor y)
    implements Op {
  /** Which elements of a head rotate together. */
  public enum Pairing {
    /** Elements {@code 2i} and {@code 2i + 1}. */
    ADJACENT,
    /** Elements {@code i} and {@code i + pairs}. */
    HALVES
  }

  /**
   * @throws IllegalArgumentException if x is not {@code [rows, heads, size]} or the table's pairs
   *     do not fit a head
   */
  public Rope {
    Rules.f32("rope", x, table, y);
    Rules.rank("rope", x, 3);
    Rules.sameShape("rope", x, y);
    Rules.index("rope", positions, x);
    Rules.rank("rope", table, 3);
    Rules.constant("rope", table);
    Rules.check(
        table.shape().last() == 2 && 2 * table.shape().dim(1) <= x.shape().last(),
        "rope: table %s must be [context, pairs, 2] with at most half as many pairs as the head"
            + " size of %s",
        table,
        x);
  }

  @Override
  public String name() {
    return "rope";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, positions, table);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public Rope map(UnaryOperator<Tensor> change) {
    return new Rope(
        change.apply(x), change.apply(positions), change.apply(table), pairing, change.apply(y));
  }
}
