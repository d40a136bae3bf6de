package dev.quern.core.op;

import dev.quern.core.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code y[r] = dequant(table[tokens[r]])}: the vector of each token.
 *
 * <p>Shapes: tokens {@code [rows]} I32, each in {@code [0, vocabulary)}; table {@code [vocabulary,
 * n]} of any weight format; y {@code [rows, n]} F32.
 *
 * <p>Accuracy: {@code 4ε · max|y|}: a decoder may round in another order than the format's own.
 *
 * @param tokens token ids
 * @param table embedding matrix
 * @param y result
 */
public record Embed(Tensor tokens, Tensor table, Tensor y) implements Op {
  /**
   * @throws IllegalArgumentException if the columns of the table differ from the length of y
   */
  public Embed {
    Rules.f32("embed", y);
    Rules.rank("embed", y, 2);
    Rules.index("embed", tokens, y);
    Rules.rank("embed", table, 2);
    Rules.constant("embed", table);
    Rules.check(
        table.shape().last() == y.shape().last(),
        "embed: columns of table %s must equal length of result %s",
        table,
        y);
  }

  @Override
  public String name() {
    return "embed";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(tokens, table);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public Embed map(UnaryOperator<Tensor> change) {
    return new Embed(change.apply(tokens), change.apply(table), change.apply(y));
  }
}
