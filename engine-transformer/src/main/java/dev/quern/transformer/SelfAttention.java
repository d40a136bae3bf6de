package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.op.Attention;
import org.jspecify.annotations.Nullable;

/** The first half of a block: queries, keys and values, their positions, and attention. */
record SelfAttention(
    ModelConfig config,
    Linear query,
    Linear key,
    Linear value,
    @Nullable Tensor queryNorm,
    @Nullable Tensor keyNorm,
    Linear output,
    KvPool.Layer cache) {
  static SelfAttention of(Weights weights, ModelConfig config, String block, KvPool.Layer cache) {
    long hidden = config.hidden();
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    return new SelfAttention(
        config,
        Linear.of(weights, block + "attn_q", queries, hidden),
        Linear.of(weights, block + "attn_k", keys, hidden),
        Linear.of(weights, block + "attn_v", keys, hidden),
        weights.find(block + "attn_q_norm.weight", config.headSize()),
        weights.find(block + "attn_k_norm.weight", config.headSize()),
        Linear.of(weights, block + "attn_output", hidden, queries),
        cache);
  }

  /** Records {@code y[rows, hidden]} from {@code x[rows, hidden]}, and the new cache entries. */
  Tensor record(BatchRecorder b, Tensor x, StepTensors step) {
    Tensor q = rotated(b, heads(query.record(b, x), config.heads()), queryNorm, step);
    Tensor k = rotated(b, heads(key.record(b, x), config.kvHeads()), keyNorm, step);
    Tensor v = heads(value.record(b, x), config.kvHeads());
    b.kvAppend(k, step.sequences(), step.positions(), cache.keys());
    b.kvAppend(v, step.sequences(), step.positions(), cache.values());
    Attention.Rule rule = Attention.Rule.causal((float) (1 / Math.sqrt(config.headSize())));
    Tensor seen =
        b.attention(q, cache.keys(), cache.values(), step.sequences(), step.positions(), rule);
    long width = (long) config.heads() * config.headSize();
    return output.record(b, seen.reshape(Shape.of(seen.shape().rows(), width)));
  }

  private Tensor rotated(BatchRecorder b, Tensor x, @Nullable Tensor norm, StepTensors step) {
    Tensor normed = norm == null ? x : b.rmsNorm(x, norm, config.epsilon());
    return b.rope(normed, step.positions(), step.rotations(), config.rope().pairing());
  }

  private Tensor heads(Tensor x, int heads) {
    return x.reshape(Shape.of(x.shape().rows(), heads, config.headSize()));
  }
}
