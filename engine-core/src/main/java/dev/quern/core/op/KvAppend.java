package dev.quern.core.op;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code cache[sequences[r], positions[r]] = x[r]}: keys or values of new rows enter the cache.
 *
 * <p>Shapes: x {@code [rows, heads, size]} F32; cache {@code [sequences, context, heads, size]} F32
 * or F16; sequences and positions {@code [rows]} I32. Two rows of a submit never name the same
 * place. Counts as writing the whole cache.
 *
 * <p>Numbers: rounded to nearest even where the cache is F16.
 *
 * @param x keys or values of the new rows
 * @param sequences sequence of each row
 * @param positions position of each row
 * @param cache persistent cache of one layer
 */
public record KvAppend(Tensor x, Tensor sequences, Tensor positions, Tensor cache) implements Op {
  /**
   * @throws IllegalArgumentException if the heads of x and cache differ
   */
  public KvAppend {
    Rules.f32("kv-append", x);
    Rules.rank("kv-append", x, 3);
    Rules.index("kv-append", sequences, x);
    Rules.index("kv-append", positions, x);
    Rules.format("kv-append", cache, WeightFormats.F32, WeightFormats.F16);
    Rules.rank("kv-append", cache, 4);
    Rules.constant("kv-append", cache);
    Rules.check(
        cache.shape().dim(2) == x.shape().dim(1) && cache.shape().dim(3) == x.shape().dim(2),
        "kv-append: cache %s must be [sequences, context, heads, size] with the heads of %s",
        cache,
        x);
  }

  @Override
  public String name() {
    return "kv-append";
  }

  @Override
  public List<Tensor> reads() {
    return List.of(x, sequences, positions);
  }

  @Override
  public List<Tensor> writes() {
    return List.of(cache);
  }

  @Override
  public KvAppend map(UnaryOperator<Tensor> change) {
    return new KvAppend(
        change.apply(x), change.apply(sequences), change.apply(positions), change.apply(cache));
  }
}
