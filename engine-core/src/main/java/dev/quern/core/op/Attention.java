package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * {@code y[r, h] = Σⱼ softmaxⱼ(cap(scale · q[r, h] · k[s, j, g])) · v[s, j, g]} over the positions
 * {@code j} that row r may see, with {@code s = sequences[r]} and {@code g = h · kvHeads / heads}
 * (<a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>; grouped heads: <a
 * href="https://arxiv.org/abs/2305.13245">Ainslie et al. 2023</a>).
 *
 * <p>Row r at position {@code p = positions[r]} sees {@code 0 ≤ j ≤ p}, and with a window also
 * {@code j > p − window}. All of them are in the cache before this operation runs, its own row
 * included. With a soft cap, {@code cap(z) = softCap · tanh(z / softCap)}. With sinks, {@code
 * sinks[h]} joins the softmax of head h as one more score without a value.
 *
 * <p>Shapes: q and y {@code [rows, heads, size]} F32; keys and values {@code [sequences, context,
 * kvHeads, size]} F32 or F16; sequences and positions {@code [rows]} I32; sinks {@code [heads]}
 * F32.
 *
 * <p>Numbers: scores, weights and sums at least float32 in {@code EXACT}; in {@code FAST} queries
 * and weights may be rounded to f16.
 *
 * <p>Accuracy: {@code 3e-5 · max|y|} in {@code EXACT}, {@code 2e-2 · max|y|} in {@code FAST}.
 *
 * @param q queries
 * @param keys cache of keys of one layer
 * @param values cache of values of one layer
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param rule scale, window and soft cap
 * @param sinks one score a head, or null
 * @param y result
 */
public record Attention(
    Tensor q,
    Tensor keys,
    Tensor values,
    Tensor sequences,
    Tensor positions,
    Rule rule,
    @Nullable Tensor sinks,
    Tensor y)
    implements Op {
  /**
   * How scores are made.
   *
   * @param scale factor of the product of query and key
   * @param window how many positions a row sees, its own included; 0 for all
   * @param softCap bound of the scores; 0 for none
   */
  public record Rule(float scale, int window, float softCap) {
    /**
     * @throws IllegalArgumentException if the window or the cap is negative
     */
    public Rule {
      Rules.check(window >= 0, "attention: window must not be negative but is %s", window);
      Rules.check(softCap >= 0, "attention: soft cap must not be negative but is %s", softCap);
    }

    /** All earlier positions, no cap. */
    public static Rule causal(float scale) {
      return new Rule(scale, 0, 0);
    }
  }

  /**
   * @throws IllegalArgumentException if keys and values differ in shape or format, the head sizes
   *     differ, the heads are not a multiple of the cached heads, or there is not one sink a head
   */
  public Attention {
    Rules.f32("attention", q, y);
    Rules.rank("attention", q, 3);
    Rules.sameShape("attention", q, y);
    Rules.index("attention", sequences, q);
    Rules.index("attention", positions, q);
    Rules.format("attention", keys, WeightFormats.F32, WeightFormats.F16);
    Rules.format("attention", values, keys.format());
    Rules.rank("attention", keys, 4);
    Rules.sameShape("attention", keys, values);
    Rules.constant("attention", keys);
    Rules.check(
        keys.shape().last() == q.shape().last() && q.shape().dim(1) % keys.shape().dim(2) == 0,
        "attention: heads of %s must have the size of, and be a multiple of, the cached heads of %s",
        q,
        keys);
    if (sinks != null) {
      Rules.f32("attention", sinks);
      Rules.constant("attention", sinks);
      Rules.check(
          sinks.shape().elements() == q.shape().dim(1),
          "attention: sinks %s must have one score for each head of %s",
          sinks,
          q);
    }
  }

  @Override
  public String name() {
    return "attention";
  }

  @Override
  public List<Tensor> reads() {
    List<Tensor> reads = new ArrayList<>(List.of(q, keys, values, sequences, positions));
    if (sinks != null) {
      reads.add(sinks);
    }
    return List.copyOf(reads);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(y);
  }

  @Override
  public Attention map(UnaryOperator<Tensor> change) {
    return new Attention(
        change.apply(q),
        change.apply(keys),
        change.apply(values),
        change.apply(sequences),
        change.apply(positions),
        rule,
        sinks == null ? null : change.apply(sinks),
        change.apply(y));
  }
}
