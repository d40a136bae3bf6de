package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A low-rank adapter in a file: for each projection {@code W} it names, factors {@code A} and
 * {@code B} of which {@code alpha / rank · B·A} is to be added (<a
 * href="https://arxiv.org/abs/2106.09685">Hu et al. 2021</a>).
 *
 * <p>Run it beside a model with {@link LanguageModel#loadAdapter}, {@link #merge} it, or {@link
 * #write} the merged model to a file.
 */
public final class Lora implements AutoCloseable {
  private final String name;
  private final Map<String, Factors> factors;
  private final Runnable release;

  /**
   * The factors of one projection.
   *
   * @param a {@code [rank, in]}, or {@code [experts, rank, in]}
   * @param b {@code [out, rank]}, or {@code [experts, out, rank]}
   * @param scale alpha over rank
   */
  record Factors(ModelSource.Weight a, ModelSource.Weight b, float scale) {
    int rank() {
      return (int) b.shape().last();
    }
  }

  Lora(String name, Map<String, Factors> factors, Runnable release) {
    this.name = name;
    this.factors = new TreeMap<>(factors);
    this.release = release;
  }

  /**
   * Reads an adapter: a GGUF file, or PEFT safetensors (name ending in {@code .safetensors}) with
   * its {@code adapter_config.json} beside it. Without that file alpha is taken to be twice the
   * rank, which is logged.
   *
   * @param model the metadata of the model that it is for: a PEFT adapter of a family whose GGUF
   *     files order the rows of queries and keys differently is put into that order
   * @throws IOException if a file cannot be read
   * @throws ModelException if it is not an adapter, or not one for this family
   */
  public static Lora read(Path file, GgufMetadata model) throws IOException {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(".safetensors")
        ? PeftAdapter.read(file, model)
        : GgufAdapter.read(file, model);
  }

  /** What messages call it. */
  public String name() {
    return name;
  }

  /** The projections that it changes, such as {@code blk.0.attn_q}. */
  public List<String> projections() {
    return List.copyOf(factors.keySet());
  }

  Map<String, Factors> factors() {
    return factors;
  }

  /**
   * @throws ModelException if a projection is not in the model, or has other extents
   */
  void requireFits(ModelSource model) {
    Map<String, Shape> shapes = new TreeMap<>();
    model.weights().forEach(weight -> shapes.put(weight.name(), weight.shape()));
    factors.forEach((projection, own) -> requireFits(projection, own, model, shapes));
  }

  private void requireFits(
      String projection, Factors own, ModelSource model, Map<String, Shape> shapes) {
    Shape w = shapes.get(projection + ".weight");
    if (w == null || w.rank() < 2 || projection.equals("token_embd")) {
      throw new ModelException(
          "%s: every projection must be one of %s but %s is not; use the adapter's own base model"
              .formatted(name, model.name(), projection));
    }
    List<Long> a = new ArrayList<>(w.dimensions());
    List<Long> b = new ArrayList<>(w.dimensions());
    a.set(w.rank() - 2, (long) own.rank());
    b.set(w.rank() - 1, (long) own.rank());
    if (!own.a().shape().dimensions().equals(a) || !own.b().shape().dimensions().equals(b)) {
      throw new ModelException(
          "%s: factors of %s must be %s and %s for weight %s but are %s and %s"
              .formatted(name, projection, a, b, w, own.a().shape(), own.b().shape()));
    }
  }

  /**
   * An adapter, and how much of it is added.
   *
   * @param lora the adapter
   * @param weight 1 for what it was trained for
   */
  public record Weighted(Lora lora, float weight) {}

  /**
   * The model with {@code W + weight · alpha / rank · B·A} in place of every weight {@code W} that
   * the adapter changes, as F32. Closing it closes {@code base}; this adapter is no longer needed.
   *
   * @throws ModelException if the adapter does not fit
   */
  public ModelSource merge(ModelSource base, float weight) {
    requireFits(base);
    List<Weighted> self = List.of(new Weighted(this, weight));
    Arena arena = Arena.ofShared();
    List<ModelSource.Weight> weights = new ArrayList<>();
    for (ModelSource.Weight stored : base.weights()) {
      LoraSum sum = LoraSum.of(stored, self);
      weights.add(sum.isEmpty() ? stored : sum.merged(arena));
    }
    return new Merged(base.name() + " + " + name, base.metadata(), weights, base, arena);
  }

  /**
   * Writes the model with {@code W + Σ weight · alpha / rank · B·A} in place of every weight {@code
   * W} that an adapter changes, as F32, and all else as it is. One row is in memory at a time.
   *
   * @param out is flushed and left open
   * @throws IOException if it cannot be written
   * @throws ModelException if an adapter does not fit
   */
  public static void write(ModelSource base, List<Weighted> adapters, OutputStream out)
      throws IOException {
    adapters.forEach(adapter -> adapter.lora.requireFits(base));
    List<GgufWriter.Source> tensors = new ArrayList<>();
    for (ModelSource.Weight stored : base.weights()) {
      LoraSum sum = LoraSum.of(stored, adapters);
      tensors.add(
          sum.isEmpty()
              ? new GgufWriter.Source(stored.name(), stored.shape(), stored.format(), stored.data())
              : new GgufWriter.Source(
                  stored.name(), stored.shape(), WeightFormats.F32, sum::writeTo));
    }
    GgufWriter.write(out, base.metadata().ofWholeFile().build(), tensors);
  }

  private record Merged(
      String name,
      GgufMetadata metadata,
      List<ModelSource.Weight> weights,
      ModelSource base,
      Arena arena)
      implements ModelSource {
    @Override
    public void close() {
      base.close();
      arena.close();
    }
  }

  /** Gives the file's memory back. */
  @Override
  public void close() {
    release.run();
  }
}
