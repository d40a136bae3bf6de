package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Pointwise;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A decoder model: an embedding, blocks, a norm and an output matrix. */
final class Network {
  /** What a batch computes from the last states. */
  sealed interface Head {
    /** Nothing: the rows only enter the cache. */
    record None() implements Head {}

    /** The states after the final norm, as output {@code hidden}. */
    record Hidden() implements Head {}

    /** The logits, as output {@code logits}. */
    record Logits() implements Head {}

    /** The most likely token, as output {@code next}. */
    record Greedy() implements Head {}

    /** The k largest logits and their tokens, as outputs {@code values} and {@code ids}. */
    record Largest(int k) implements Head {}
  }

  private final String model;
  private final ModelConfig config;
  private final Tensor embedding;
  private final Weights.Scalars scalars;
  private final List<Block> blocks = new ArrayList<>();
  private final Tensor outputNorm;
  private final Linear output;

  private record Block(Half<SelfAttention> attention, Half<FeedForward> feedForward) {}

  /** A half of a block, with norms of what enters it and of what it adds. */
  private record Half<T>(@Nullable Tensor before, T body, @Nullable Tensor after) {}

  Network(ModelConfig config, Weights weights, KvPool pool, Arena arena) {
    this.model = weights.model();
    this.config = config;
    long hidden = config.hidden();
    long vocabulary = weights.shape("token_embd.weight").rows();
    embedding = weights.get("token_embd.weight", vocabulary, hidden);
    scalars = weights.scalars();
    Rotations rotations = new Rotations(weights, pool.context(), arena);
    for (int layer = 0; layer < config.layers(); layer++) {
      blocks.add(block(weights, layer, pool.layer(layer), rotations));
    }
    outputNorm = weights.get("output_norm.weight", hidden);
    output =
        weights.has("output.weight")
            ? Linear.of(weights, "output", vocabulary, hidden)
            : new Linear("output", 0, embedding, null);
    weights.requireAllUsed();
  }

  private Block block(Weights weights, int layer, KvPool.Layer cache, Rotations rotations) {
    String prefix = "blk." + layer + ".";
    ModelConfig.Norms norms = config.norms();
    return new Block(
        new Half<>(
            norm(weights, prefix, norms.attention()),
            SelfAttention.of(weights, config, layer, cache, rotations),
            norm(weights, prefix, norms.afterAttention())),
        new Half<>(
            norm(weights, prefix, norms.feedForward()),
            FeedForward.of(weights, config, prefix),
            norm(weights, prefix, norms.afterFeedForward())));
  }

  private @Nullable Tensor norm(Weights weights, String prefix, @Nullable String name) {
    return name == null ? null : weights.get(prefix + name + ".weight", config.hidden());
  }

  int hidden() {
    return config.hidden();
  }

  int vocabulary() {
    return Math.toIntExact(embedding.shape().rows());
  }

  /**
   * Records a step. Inputs: {@code tokens}, {@code positions}, {@code sequences}, each {@code
   * [capacity]} with live rows from slot {@code rows}; and, where fewer rows than the capacity are
   * selected, {@code selected} with live rows from slot {@code selection}.
   *
   * @param capacity the most rows
   * @param selected the most rows that the head runs on; {@code capacity} for every row
   * @param head what is computed from the selected rows
   * @param adapters what is added to projections
   * @param differ whether rows run with different ones of these: then input {@code uses.i}, {@code
   *     [capacity]}, says for adapter i with 1 or 0 which rows run with it
   * @throws ModelException if the model's numbers are none that an operation can be made with
   */
  CommandBatch record(
      int capacity, int selected, Head head, List<LoraAdapter> adapters, boolean differ) {
    try {
      return steps(capacity, selected, head, adapters, differ);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw ModelException.numbers(model, e);
    }
  }

  private CommandBatch steps(
      int capacity, int selected, Head head, List<LoraAdapter> adapters, boolean differ) {
    BatchRecorder b = CommandBatch.record("rows-%d %s".formatted(capacity, head));
    Slot.Count rows = b.count("rows", capacity);
    Tensor tokens = b.input("tokens", Shape.of(capacity), WeightFormats.I32, rows);
    Tensor positions = b.input("positions", Shape.of(capacity), WeightFormats.I32, rows);
    Tensor sequences = b.input("sequences", Shape.of(capacity), WeightFormats.I32, rows);
    List<StepTensors.Use> uses = new ArrayList<>();
    for (LoraAdapter adapter : adapters) {
      String name = "uses." + uses.size();
      uses.add(
          new StepTensors.Use(
              adapter, differ ? b.input(name, Shape.of(capacity), WeightFormats.I32, rows) : null));
    }
    StepTensors step = new StepTensors(sequences, positions, uses);
    Tensor x = scaled(b, b.embed(tokens, embedding), config.scales().embedding());
    for (Block block : blocks) {
      Half<SelfAttention> attention = block.attention;
      Tensor seen = attention.body.record(b, normed(b, x, attention.before), step);
      x = added(b, x, normed(b, seen, attention.after));
      Half<FeedForward> feedForward = block.feedForward;
      Tensor fed = feedForward.body.record(b, normed(b, x, feedForward.before), step);
      x = added(b, x, normed(b, fed, feedForward.after));
    }
    if (!(head instanceof Head.None)) {
      Tensor chosen = selected == capacity ? x : select(b, x, selected);
      recordHead(b, b.rmsNorm(chosen, outputNorm, config.epsilon()), head, step);
    }
    return b.end();
  }

  private Tensor normed(BatchRecorder b, Tensor x, @Nullable Tensor weight) {
    return weight == null ? x : b.rmsNorm(x, weight, config.epsilon());
  }

  private Tensor added(BatchRecorder b, Tensor x, Tensor more) {
    return b.add(x, scaled(b, more, config.scales().residual()));
  }

  private Tensor scaled(BatchRecorder b, Tensor x, float factor) {
    return factor == 1 ? x : b.mul(x, scalars.of(factor));
  }

  private static Tensor select(BatchRecorder b, Tensor x, int selected) {
    Slot.Count selection = b.count("selection", selected);
    return b.gatherRows(x, b.input("selected", Shape.of(selected), WeightFormats.I32, selection));
  }

  private Tensor logits(BatchRecorder b, Tensor hidden, StepTensors step) {
    ModelConfig.Scales scales = config.scales();
    Tensor logits = scaled(b, output.record(b, hidden, step), scales.logits());
    return scales.logitCap() == 0
        ? logits
        : b.pointwise(logits, new Pointwise.Function.SoftCap(scales.logitCap()));
  }

  private void recordHead(BatchRecorder b, Tensor hidden, Head head, StepTensors step) {
    if (head instanceof Head.Hidden) {
      b.output("hidden", hidden);
      return;
    }
    Tensor logits = logits(b, hidden, step);
    switch (head) {
      case Head.None _, Head.Hidden _ ->
          throw new IllegalStateException("a batch without logits has no head of logits");
      case Head.Logits wanted -> b.output("logits", logits);
      case Head.Greedy wanted -> b.output("next", b.argMax(logits));
      case Head.Largest largest -> {
        BatchRecorder.Largest found = b.topK(logits, largest.k());
        b.output("values", found.values());
        b.output("ids", found.ids());
      }
    }
  }
}
