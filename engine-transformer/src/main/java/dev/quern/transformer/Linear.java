package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · weightᵀ + bias}, and what adapters add to it.
 *
 * @param name of the stored weight, without {@code .weight}
 * @param first which result of the stored weight is the first of this
 * @param weight {@code [out, in]}
 * @param bias {@code [out]}, or null
 */
record Linear(String name, long first, Tensor weight, @Nullable Tensor bias) {
  /** The projection {@code name.weight}, with {@code name.bias} where the file has one. */
  static Linear of(Weights weights, String name, long out, long in) {
    return new Linear(
        name, 0, weights.get(name + ".weight", out, in), weights.find(name + ".bias", out));
  }

  /** Results {@code from} to {@code from + count - 1} alone. */
  Linear part(long from, long count) {
    return new Linear(
        name, first + from, weight.rows(from, count), bias == null ? null : bias.rows(from, count));
  }

  Tensor record(BatchRecorder b, Tensor x, StepTensors step) {
    Tensor y = b.matmul(x, weight);
    Tensor biased = bias == null ? y : b.add(y, bias);
    return LoraAdapter.addAll(b, step.adapters(), this, x, biased);
  }
}
