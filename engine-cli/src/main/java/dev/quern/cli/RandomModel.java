package dev.quern.cli;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufMetadata;
import dev.quern.transformer.ModelSource;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A model of a published shape with random weights, made in memory by all cores. */
final class RandomModel implements ModelSource {
  private static final int CONTEXT = 131_072;

  private final Arena arena = Arena.ofShared();
  private final BenchShape shape;
  private final GgufMetadata metadata;
  private final List<Weight> weights;

  /** A weight to make. */
  record Plan(String name, WeightFormat format, Shape shape) {}

  RandomModel(BenchShape shape, BenchMix mix) {
    this.shape = shape;
    metadata = metadata(shape);
    List<Plan> plans = plan(shape, mix);
    weights =
        IntStream.range(0, plans.size()).parallel().mapToObj(i -> make(plans.get(i), i)).toList();
  }

  private Weight make(Plan plan, int seed) {
    return new Weight(
        plan.name(),
        plan.shape(),
        plan.format(),
        plan.format().equals(WeightFormats.F32)
            ? RandomWeights.norm(arena, plan.shape().elements(), seed)
            : RandomWeights.matrix(arena, plan.format(), plan.shape(), seed));
  }

  private static GgufMetadata metadata(BenchShape shape) {
    String prefix = shape.architecture() + ".";
    return GgufMetadata.builder(shape.name())
        .put("general.architecture", shape.architecture())
        .put("general.name", shape.name())
        .put(prefix + "block_count", shape.layers())
        .put(prefix + "context_length", CONTEXT)
        .put(prefix + "embedding_length", shape.hidden())
        .put(prefix + "feed_forward_length", shape.feedForward())
        .put(prefix + "attention.head_count", shape.heads())
        .put(prefix + "attention.head_count_kv", shape.kvHeads())
        .put(prefix + "attention.key_length", shape.headSize())
        .put(prefix + "attention.value_length", shape.headSize())
        .put(prefix + "attention.layer_norm_rms_epsilon", 1e-5f)
        .put(prefix + "rope.freq_base", 500_000f)
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "gpt-2")
        .putStrings(
            "tokenizer.ggml.tokens",
            IntStream.range(0, shape.vocabulary()).mapToObj(i -> "t" + i).toList())
        .putStrings("tokenizer.ggml.merges", List.of())
        .build();
  }

  /** The weights of a model, none of them made. */
  static List<Plan> plan(BenchShape shape, BenchMix mix) {
    int hidden = shape.hidden();
    List<Plan> plans = new ArrayList<>();
    Shape table = Shape.of(shape.vocabulary(), hidden);
    plans.add(new Plan("token_embd.weight", shape.tied() ? mix.output() : mix.embedding(), table));
    if (!shape.tied()) {
      plans.add(new Plan("output.weight", mix.output(), table));
    }
    plans.add(new Plan("output_norm.weight", WeightFormats.F32, Shape.of(hidden)));
    for (int layer = 0; layer < shape.layers(); layer++) {
      plans.addAll(block(shape, mix, layer));
    }
    return plans;
  }

  private static List<Plan> block(BenchShape shape, BenchMix mix, int layer) {
    String block = "blk." + layer + ".";
    long hidden = shape.hidden();
    long queries = (long) shape.heads() * shape.headSize();
    long keys = (long) shape.kvHeads() * shape.headSize();
    WeightFormat precise = mix.precise(layer, shape.layers());
    List<Plan> plans =
        new ArrayList<>(
            List.of(
                new Plan(block + "attn_norm.weight", WeightFormats.F32, Shape.of(hidden)),
                new Plan(block + "ffn_norm.weight", WeightFormats.F32, Shape.of(hidden)),
                new Plan(block + "attn_q.weight", mix.common(), Shape.of(queries, hidden)),
                new Plan(block + "attn_k.weight", mix.common(), Shape.of(keys, hidden)),
                new Plan(block + "attn_v.weight", precise, Shape.of(keys, hidden)),
                new Plan(block + "attn_output.weight", mix.common(), Shape.of(hidden, queries)),
                new Plan(
                    block + "ffn_gate.weight", mix.common(), Shape.of(shape.feedForward(), hidden)),
                new Plan(
                    block + "ffn_up.weight", mix.common(), Shape.of(shape.feedForward(), hidden)),
                new Plan(
                    block + "ffn_down.weight", precise, Shape.of(hidden, shape.feedForward()))));
    if (shape.normalisesHeads()) {
      Shape head = Shape.of(shape.headSize());
      plans.add(new Plan(block + "attn_q_norm.weight", WeightFormats.F32, head));
      plans.add(new Plan(block + "attn_k_norm.weight", WeightFormats.F32, head));
    }
    return plans;
  }

  @Override
  public String name() {
    return shape.name();
  }

  @Override
  public GgufMetadata metadata() {
    return metadata;
  }

  @Override
  public List<Weight> weights() {
    return weights;
  }

  @Override
  public void close() {
    arena.close();
  }
}
