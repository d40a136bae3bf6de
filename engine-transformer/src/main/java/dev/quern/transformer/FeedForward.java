package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;
import org.jspecify.annotations.Nullable;

/** The second half of a block. */
sealed interface FeedForward {
  /** Records {@code y[rows, hidden]} from {@code x[rows, hidden]}. */
  Tensor record(BatchRecorder b, Tensor x, StepTensors step);

  /** The feed-forward of block {@code block}: experts where the model has them. */
  static FeedForward of(Weights weights, ModelConfig config, String block) {
    return config.experts() > 0
        ? Experts.of(weights, config, block)
        : Gated.of(weights, config, block);
  }

  /** {@code down(activation(gate(x), up(x)))}. */
  record Gated(Activation activation, Weights.Scalars scalars, Linear gate, Linear up, Linear down)
      implements FeedForward {
    static Gated of(Weights weights, ModelConfig config, String block) {
      long hidden = config.hidden();
      long width = weights.shape(block + "ffn_down.weight").last();
      Linear down = Linear.of(weights, block + "ffn_down", hidden, width);
      if (weights.has(block + "ffn_gate.weight")) {
        Linear gate = Linear.of(weights, block + "ffn_gate", width, hidden);
        Linear up = Linear.of(weights, block + "ffn_up", width, hidden);
        return new Gated(config.activation(), weights.scalars(), gate, up, down);
      }
      Linear both = Linear.of(weights, block + "ffn_up", 2 * width, hidden);
      return new Gated(
          config.activation(),
          weights.scalars(),
          both.part(0, width),
          both.part(width, width),
          down);
    }

    @Override
    public Tensor record(BatchRecorder b, Tensor x, StepTensors step) {
      Tensor joint = activation.record(b, gate.record(b, x, step), up.record(b, x, step), scalars);
      return down.record(b, joint, step);
    }
  }

  /**
   * {@code Σⱼ pⱼ · downⱼ(activation(gateⱼ(x), upⱼ(x)))} over the experts with the largest router
   * logits, {@code p} the softmax of just these logits (<a
   * href="https://arxiv.org/abs/2401.04088">Mixtral</a>; the same as a softmax over all, normalised
   * over the chosen).
   */
  record Experts(
      Activation activation,
      Weights.Scalars scalars,
      Linear router,
      int used,
      Stack gate,
      Stack up,
      Stack down)
      implements FeedForward {
    static Experts of(Weights weights, ModelConfig config, String block) {
      long experts = config.experts();
      long hidden = config.hidden();
      long width = weights.shape(block + "ffn_down_exps.weight").last();
      return new Experts(
          config.activation(),
          weights.scalars(),
          Linear.of(weights, block + "ffn_gate_inp", experts, hidden),
          config.expertsUsed(),
          Stack.of(weights, block + "ffn_gate_exps", experts, width, hidden),
          Stack.of(weights, block + "ffn_up_exps", experts, width, hidden),
          Stack.of(weights, block + "ffn_down_exps", experts, hidden, width));
    }

    @Override
    public Tensor record(BatchRecorder b, Tensor x, StepTensors step) {
      Tensor logits = router.record(b, x, step);
      BatchRecorder.Largest chosen = b.topK(logits, used);
      Choice choice = new Choice(step, chosen.ids(), gate.bias == null ? null : ones(b, logits));
      Tensor joint =
          activation.record(b, gate.record(b, x, choice), up.record(b, x, choice), scalars);
      Tensor results = down.record(b, joint, choice);
      return b.expertSum(results, b.softmax(chosen.values()));
    }

    /** {@code [rows, 1]} of ones: the softmax of a single number. */
    private static Tensor ones(BatchRecorder b, Tensor logits) {
      return b.softmax(b.topK(logits, 1).values());
    }
  }

  /**
   * Which experts the rows go through.
   *
   * @param step the step
   * @param ids {@code [rows, used]}
   * @param ones {@code [rows, 1]}, if the experts have biases
   */
  record Choice(StepTensors step, Tensor ids, @Nullable Tensor ones) {}

  /**
   * One projection of every expert.
   *
   * @param name of the stored weight, without {@code .weight}
   * @param weight {@code [experts, out, in]}
   * @param bias {@code [experts, out, 1]}, or null: a product with one, chosen as the weight is
   */
  record Stack(String name, Tensor weight, @Nullable Tensor bias) {
    static Stack of(Weights weights, String name, long experts, long out, long in) {
      Tensor bias =
          weights.has(name + ".bias") ? weights.columns(name + ".bias", experts, out) : null;
      return new Stack(name, weights.get(name + ".weight", experts, out, in), bias);
    }

    Tensor record(BatchRecorder b, Tensor x, Choice choice) {
      Tensor y = b.expertMatmul(x, weight, choice.ids);
      if (bias != null && choice.ones != null) {
        y = b.add(y, b.expertMatmul(choice.ones, bias, choice.ids));
      }
      return LoraAdapter.addAll(b, choice.step.adapters(), name, x, choice.ids, y);
    }
  }
}
