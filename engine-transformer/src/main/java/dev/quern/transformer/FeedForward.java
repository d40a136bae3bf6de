package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;

/** The second half of a block. */
sealed interface FeedForward {
  /** Records {@code y[rows, hidden]} from {@code x[rows, hidden]}. */
  Tensor record(BatchRecorder b, Tensor x);

  /** The feed-forward of block {@code block}: experts where the model has them. */
  static FeedForward of(Weights weights, ModelConfig config, String block) {
    return config.experts() > 0
        ? Experts.of(weights, config, block)
        : Gated.of(weights, config, block);
  }

  /**
   * {@code down(swish(gate(x)) · up(x))} (<a href="https://arxiv.org/abs/2002.05202">SwiGLU</a>).
   */
  record Gated(Linear gate, Linear up, Linear down) implements FeedForward {
    static Gated of(Weights weights, ModelConfig config, String block) {
      long width = weights.shape(block + "ffn_gate.weight").rows();
      return new Gated(
          Linear.of(weights, block + "ffn_gate", width, config.hidden()),
          Linear.of(weights, block + "ffn_up", width, config.hidden()),
          Linear.of(weights, block + "ffn_down", config.hidden(), width));
    }

    @Override
    public Tensor record(BatchRecorder b, Tensor x) {
      Tensor gated = b.mul(b.swish(gate.record(b, x)), up.record(b, x));
      return down.record(b, gated);
    }
  }

  /**
   * {@code Σⱼ pⱼ · downⱼ(swish(gateⱼ(x)) · upⱼ(x))} over the experts with the largest router
   * logits, {@code p} the softmax of just these logits (<a
   * href="https://arxiv.org/abs/2401.04088">Mixtral</a>; the same as a softmax over all, normalised
   * over the chosen).
   */
  record Experts(Linear router, int used, Tensor gate, Tensor up, Tensor down)
      implements FeedForward {
    static Experts of(Weights weights, ModelConfig config, String block) {
      long experts = config.experts();
      long width = weights.shape(block + "ffn_gate_exps.weight").dim(1);
      return new Experts(
          Linear.of(weights, block + "ffn_gate_inp", experts, config.hidden()),
          config.expertsUsed(),
          weights.get(block + "ffn_gate_exps.weight", experts, width, config.hidden()),
          weights.get(block + "ffn_up_exps.weight", experts, width, config.hidden()),
          weights.get(block + "ffn_down_exps.weight", experts, config.hidden(), width));
    }

    @Override
    public Tensor record(BatchRecorder b, Tensor x) {
      BatchRecorder.Largest chosen = b.topK(router.record(b, x), used);
      Tensor gated =
          b.mul(
              b.swish(b.expertMatmul(x, gate, chosen.ids())), b.expertMatmul(x, up, chosen.ids()));
      return b.expertSum(b.expertMatmul(gated, down, chosen.ids()), b.softmax(chosen.values()));
    }
  }
}
