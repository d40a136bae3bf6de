package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · weightᵀ + bias}.
 *
 * @param weight {@code [out, in]}
 * @param bias {@code [out]}, or null
 */
record Linear(Tensor weight, @Nullable Tensor bias) {
  /** The projection {@code name.weight}, with {@code name.bias} where the file has one. */
  static Linear of(Weights weights, String name, long out, long in) {
    return new Linear(weights.get(name + ".weight", out, in), weights.find(name + ".bias", out));
  }

  /** Results {@code first} to {@code first + count - 1} alone. */
  Linear part(long first, long count) {
    return new Linear(weight.rows(first, count), bias == null ? null : bias.rows(first, count));
  }

  Tensor record(BatchRecorder b, Tensor x) {
    Tensor y = b.matmul(x, weight);
    return bias == null ? y : b.add(y, bias);
  }
}
