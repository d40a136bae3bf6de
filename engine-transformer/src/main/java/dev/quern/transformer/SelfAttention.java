package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Rope;
import org.jspecify.annotations.Nullable;

/** The first half of a block: queries, keys and values, their positions, and attention. */
record SelfAttention(
    ModelConfig config,
    Inputs inputs,
    @Nullable Tensor queryNorm,
    @Nullable Tensor keyNorm,
    @Nullable Rotation rotation,
    Attention.Rule rule,
    @Nullable Tensor sinks,
    Linear output,
    KvPool.Layer cache) {
  /** The three projections of the input. */
  record Inputs(Linear query, Linear key, Linear value) {
    static Inputs of(Weights weights, String block, long hidden, long queries, long keys) {
      if (weights.has(block + "attn_qkv.weight")) {
        Linear all = Linear.of(weights, block + "attn_qkv", queries + 2 * keys, hidden);
        return new Inputs(
            all.part(0, queries), all.part(queries, keys), all.part(queries + keys, keys));
      }
      return new Inputs(
          Linear.of(weights, block + "attn_q", queries, hidden),
          Linear.of(weights, block + "attn_k", keys, hidden),
          Linear.of(weights, block + "attn_v", keys, hidden));
    }
  }

  /** How queries and keys turn with their position. */
  record Rotation(Tensor table, Rope.Pairing pairing) {}

  static SelfAttention of(
      Weights weights, ModelConfig config, int layer, KvPool.Layer cache, Rotations rotations) {
    String block = "blk." + layer + ".";
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    ModelConfig.BlockConfig own = config.blocks().get(layer);
    RopeConfig rope = own.rope();
    return new SelfAttention(
        config,
        Inputs.of(weights, block, config.hidden(), queries, keys),
        norm(weights, block + "attn_q_norm.weight", config.headSize(), queries),
        norm(weights, block + "attn_k_norm.weight", config.headSize(), keys),
        rope == null ? null : new Rotation(rotations.table(rope), rope.pairing()),
        new Attention.Rule(
            config.scales().attention(), own.window(), config.scales().attentionCap()),
        weights.find(block + "attn_sinks.weight", config.heads()),
        Linear.of(weights, block + "attn_output", config.hidden(), queries),
        cache);
  }

  /**
   * Checks what the size of the cache follows from, before there is one.
   *
   * @throws ModelException if the keys of the first block have another size
   */
  static void check(Weights weights, ModelConfig config) {
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    if (weights.has("blk.0.attn_qkv.weight")) {
      weights.check("blk.0.attn_qkv.weight", queries + 2 * keys, config.hidden());
    } else {
      weights.check("blk.0.attn_k.weight", keys, config.hidden());
    }
  }

  /** A norm of each head, or of all heads as one vector; the length of the weight says which. */
  private static @Nullable Tensor norm(Weights weights, String name, long head, long all) {
    if (!weights.has(name)) {
      return null;
    }
    return weights.get(name, weights.shape(name).last() == head ? head : all);
  }

  /** Records {@code y[rows, hidden]} from {@code x[rows, hidden]}, and the new cache entries. */
  Tensor record(BatchRecorder b, Tensor x, StepTensors step) {
    Tensor q = placed(b, inputs.query.record(b, x, step), config.heads(), queryNorm, step);
    Tensor k = placed(b, inputs.key.record(b, x, step), config.kvHeads(), keyNorm, step);
    Tensor v = heads(inputs.value.record(b, x, step), config.kvHeads());
    b.kvAppend(k, step.sequences(), step.positions(), cache.keys());
    b.kvAppend(v, step.sequences(), step.positions(), cache.values());
    Tensor seen = b.temporary("attention", q.shape(), q.format(), q.liveRows());
    b.add(
        new Attention(
            q,
            cache.keys(),
            cache.values(),
            step.sequences(),
            step.positions(),
            rule,
            sinks,
            seen));
    return output.record(b, seen.reshape(flat(seen)), step);
  }

  /** Queries or keys, normalised and turned. */
  private Tensor placed(
      BatchRecorder b, Tensor x, int heads, @Nullable Tensor norm, StepTensors step) {
    Tensor y = normed(b, x, heads, norm);
    return rotation == null ? y : b.rope(y, step.positions(), rotation.table, rotation.pairing);
  }

  private Tensor normed(BatchRecorder b, Tensor x, int heads, @Nullable Tensor norm) {
    if (norm == null) {
      return heads(x, heads);
    }
    return norm.shape().last() == config.headSize()
        ? b.rmsNorm(heads(x, heads), norm, config.epsilon())
        : heads(b.rmsNorm(x, norm, config.epsilon()), heads);
  }

  private Tensor heads(Tensor x, int heads) {
    return x.reshape(Shape.of(x.shape().rows(), heads, config.headSize()));
  }

  private static Shape flat(Tensor x) {
    return Shape.of(x.shape().rows(), x.shape().rowElements());
  }
}
