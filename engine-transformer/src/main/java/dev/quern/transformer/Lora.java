package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufMetadata;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
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
 * <p>Run it beside a model with {@link LanguageModel#loadAdapter}, or {@link #merge} it.
 */
public final class Lora implements AutoCloseable {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

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
   * The model with {@code W + weight · alpha / rank · B·A} in place of every weight {@code W} that
   * the adapter changes, as F32. Closing it closes {@code base}; this adapter is no longer needed.
   *
   * @throws ModelException if the adapter does not fit
   */
  public ModelSource merge(ModelSource base, float weight) {
    requireFits(base);
    Arena arena = Arena.ofShared();
    List<ModelSource.Weight> weights = new ArrayList<>();
    for (ModelSource.Weight stored : base.weights()) {
      Factors own = factors.get(stored.name().replaceAll("\\.weight$", ""));
      weights.add(own == null ? stored : merged(stored, own, weight * own.scale, arena));
    }
    return new Merged(base.name() + " + " + name, base.metadata(), weights, base, arena);
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

  private static ModelSource.Weight merged(
      ModelSource.Weight stored, Factors own, float scale, Arena arena) {
    int in = (int) stored.shape().last();
    long rows = stored.shape().elements() / in;
    long rowsOfOne = stored.shape().dim(stored.shape().rank() - 2);
    int rank = own.rank();
    MemorySegment data = arena.allocate(F32.byteSize() * rows * in, 64);
    float[] row = new float[in];
    float[] b = new float[rank];
    float[] a = new float[in];
    for (long r = 0; r < rows; r++) {
      long one = r / rowsOfOne;
      decode(stored, r * in, row);
      decode(own.b, r * rank, b);
      double[] sum = new double[in];
      for (int k = 0; k < rank; k++) {
        decode(own.a, (one * rank + k) * in, a);
        for (int i = 0; i < in; i++) {
          sum[i] += (double) b[k] * a[i];
        }
      }
      for (int i = 0; i < in; i++) {
        data.setAtIndex(F32, r * in + i, (float) (row[i] + scale * sum[i]));
      }
    }
    return new ModelSource.Weight(stored.name(), stored.shape(), WeightFormats.F32, data);
  }

  private static void decode(ModelSource.Weight weight, long element, float[] target) {
    weight.format().decode(weight.data(), weight.format().bytes(element), target, 0, target.length);
  }

  /** Gives the file's memory back. */
  @Override
  public void close() {
    release.run();
  }
}
