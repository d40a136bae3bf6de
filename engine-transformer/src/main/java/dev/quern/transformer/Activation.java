package dev.quern.transformer;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Tensor;
import dev.quern.core.op.Pointwise;

/** How a feed-forward joins the results of its two projections. */
public enum Activation {
  /** {@code swish(gate) · up} (<a href="https://arxiv.org/abs/2002.05202">SwiGLU</a>). */
  SWISH {
    @Override
    Tensor record(BatchRecorder b, Tensor gate, Tensor up, Weights.Scalars scalars) {
      return b.mul(b.swish(gate), up);
    }
  },

  /** {@code gelu(gate) · up} (<a href="https://arxiv.org/abs/2002.05202">GEGLU</a>). */
  GELU {
    @Override
    Tensor record(BatchRecorder b, Tensor gate, Tensor up, Weights.Scalars scalars) {
      return b.mul(b.pointwise(gate, new Pointwise.Function.Gelu()), up);
    }
  },

  /**
   * {@code g · σ(1.702·g) · (u + 1)} with {@code g = min(gate, 7)} and {@code u = clamp(up, −7, 7)}
   * (<a href="https://arxiv.org/abs/2508.10925">gpt-oss</a>); {@code g·σ(αg) = swish(αg) / α}.
   */
  LIMITED_SWISH {
    @Override
    Tensor record(BatchRecorder b, Tensor gate, Tensor up, Weights.Scalars scalars) {
      Tensor g = b.pointwise(gate, new Pointwise.Function.Clamp(Float.NEGATIVE_INFINITY, LIMIT));
      Tensor u = b.pointwise(up, new Pointwise.Function.Clamp(-LIMIT, LIMIT));
      Tensor swish = b.swish(b.mul(g, scalars.of(ALPHA)));
      return b.mul(b.mul(swish, scalars.of(1 / ALPHA)), b.add(u, scalars.of(1)));
    }
  };

  private static final float ALPHA = 1.702f;
  private static final float LIMIT = 7;

  /** Records the joint from both projections, of equal shape. */
  abstract Tensor record(BatchRecorder b, Tensor gate, Tensor up, Weights.Scalars scalars);
}
