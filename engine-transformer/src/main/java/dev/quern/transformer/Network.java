package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** A decoder model: an embedding, blocks, a norm and an output matrix. */
final class Network {
  /** What a batch computes from the last states. */
  sealed interface Head {
    /** Nothing: the rows only enter the cache. */
    record None() implements Head {}

    /** The logits, as output {@code logits}. */
    record Logits() implements Head {}

    /** The most likely token, as output {@code next}. */
    record Greedy() implements Head {}

    /** The k largest logits and their tokens, as outputs {@code values} and {@code ids}. */
    record Largest(int k) implements Head {}
  }

  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ModelConfig config;
  private final Tensor embedding;
  private final Tensor rotations;
  private final List<Block> blocks = new ArrayList<>();
  private final Tensor outputNorm;
  private final Tensor output;

  private record Block(
      Tensor attentionNorm, SelfAttention attention, Tensor ffnNorm, FeedForward feedForward) {}

  Network(ModelConfig config, Weights weights, KvPool pool, Arena arena) {
    this.config = config;
    long hidden = config.hidden();
    long vocabulary = weights.shape("token_embd.weight").rows();
    embedding = weights.get("token_embd.weight", vocabulary, hidden);
    rotations = rotations(config, weights, pool.context(), arena);
    for (int layer = 0; layer < config.layers(); layer++) {
      String block = "blk." + layer + ".";
      blocks.add(
          new Block(
              weights.get(block + "attn_norm.weight", hidden),
              SelfAttention.of(weights, config, block, pool.layer(layer)),
              weights.get(block + "ffn_norm.weight", hidden),
              FeedForward.of(weights, config, block)));
    }
    outputNorm = weights.get("output_norm.weight", hidden);
    output =
        weights.has("output.weight") ? weights.get("output.weight", vocabulary, hidden) : embedding;
    weights.requireAllUsed();
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
   */
  CommandBatch record(int capacity, int selected, Head head) {
    BatchRecorder b = CommandBatch.record("rows-%d %s".formatted(capacity, head));
    Slot.Count rows = b.count("rows", capacity);
    Tensor tokens = b.input("tokens", Shape.of(capacity), WeightFormats.I32, rows);
    Tensor positions = b.input("positions", Shape.of(capacity), WeightFormats.I32, rows);
    Tensor sequences = b.input("sequences", Shape.of(capacity), WeightFormats.I32, rows);
    StepTensors step = new StepTensors(sequences, positions, rotations);
    Tensor x = b.embed(tokens, embedding);
    for (Block block : blocks) {
      Tensor normed = b.rmsNorm(x, block.attentionNorm, config.epsilon());
      x = b.add(x, block.attention.record(b, normed, step));
      normed = b.rmsNorm(x, block.ffnNorm, config.epsilon());
      x = b.add(x, block.feedForward.record(b, normed));
    }
    if (!(head instanceof Head.None)) {
      recordHead(b, selected == capacity ? x : select(b, x, selected), head);
    }
    return b.end();
  }

  private static Tensor select(BatchRecorder b, Tensor x, int selected) {
    Slot.Count selection = b.count("selection", selected);
    return b.gatherRows(x, b.input("selected", Shape.of(selected), WeightFormats.I32, selection));
  }

  private void recordHead(BatchRecorder b, Tensor x, Head head) {
    Tensor logits = b.matmul(b.rmsNorm(x, outputNorm, config.epsilon()), output);
    switch (head) {
      case Head.None none ->
          throw new IllegalStateException("a batch without a head has no logits");
      case Head.Logits wanted -> b.output("logits", logits);
      case Head.Greedy wanted -> b.output("next", b.argMax(logits));
      case Head.Largest largest -> {
        BatchRecorder.Largest found = b.topK(logits, largest.k());
        b.output("values", found.values());
        b.output("ids", found.ids());
      }
    }
  }

  /**
   * Cosines and sines of {@code position · base^(−2i/n) / factorᵢ}, everything in float32 as the
   * reference implementations do; {@code rope_freqs.weight}, where present, holds the factors.
   */
  private static Tensor rotations(ModelConfig config, Weights weights, int context, Arena arena) {
    int pairs = config.rope().dimensions() / 2;
    float[] frequencies = new float[pairs];
    Tensor factors = weights.find("rope_freqs.weight", pairs);
    for (int i = 0; i < pairs; i++) {
      float exponent = (float) (2 * i) / config.rope().dimensions();
      float factor = factors == null ? 1 : weights.storedFloat("rope_freqs.weight", i);
      frequencies[i] = (float) (1 / Math.pow(config.rope().base(), exponent)) / factor;
    }
    Shape shape = Shape.of(context, pairs, 2);
    MemorySegment table = arena.allocate(F32.byteSize() * shape.elements(), 64);
    for (int position = 0; position < context; position++) {
      for (int i = 0; i < pairs; i++) {
        float angle = position / config.rope().scale() * frequencies[i];
        long at = 2L * ((long) position * pairs + i);
        table.setAtIndex(F32, at, (float) Math.cos(angle));
        table.setAtIndex(F32, at + 1, (float) Math.sin(angle));
      }
    }
    return weights.computed("rope", WeightFormats.F32, shape, table);
  }
}
