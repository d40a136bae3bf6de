package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * Tables of cosines and sines {@code [context, pairs, 2]}, one for each way in which the blocks of
 * a model embed positions. Inverse frequencies and angles are float32, as in the reference
 * implementations: in double, long positions would drift from them.
 */
final class Rotations {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Weights weights;
  private final int context;
  private final Arena arena;
  private final Map<RopeConfig, Tensor> tables = new HashMap<>();

  /**
   * @param arena holds the tables, for a backend may use them in place
   */
  Rotations(Weights weights, int context, Arena arena) {
    this.weights = weights;
    this.context = context;
    this.arena = arena;
  }

  /** The table of {@code rope}, made when first asked for. */
  Tensor table(RopeConfig rope) {
    Tensor table = tables.get(rope);
    if (table == null) {
      table = make(rope);
      tables.put(rope, table);
    }
    return table;
  }

  private Tensor make(RopeConfig rope) {
    float[] frequencies = frequencies(rope);
    float magnitude = magnitude(rope.scaling());
    int pairs = frequencies.length;
    Shape shape = Shape.of(context, pairs, 2);
    MemorySegment table = arena.allocate(F32.byteSize() * shape.elements(), 64);
    for (int position = 0; position < context; position++) {
      for (int i = 0; i < pairs; i++) {
        float angle = position * frequencies[i];
        long at = 2L * ((long) position * pairs + i);
        table.setAtIndex(F32, at, (float) Math.cos(angle) * magnitude);
        table.setAtIndex(F32, at + 1, (float) Math.sin(angle) * magnitude);
      }
    }
    return weights.computed("rope." + tables.size(), WeightFormats.F32, shape, table);
  }

  private float[] frequencies(RopeConfig rope) {
    float[] frequencies = new float[rope.dimensions() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = (float) (2 * i) / rope.dimensions();
      frequencies[i] = (float) (1 / Math.pow(rope.base(), exponent));
    }
    switch (rope.scaling()) {
      case RopeConfig.Scaling.Linear(float factor) -> {
        if (weights.has("rope_freqs.weight")) {
          divide(frequencies, weights.floats("rope_freqs.weight", frequencies.length));
        }
        for (int i = 0; i < frequencies.length; i++) {
          frequencies[i] /= factor;
        }
      }
      case RopeConfig.Scaling.Yarn yarn -> ramp(frequencies, rope, yarn);
      case RopeConfig.Scaling.LongRope(int trained, float _) -> {
        float[] narrow = weights.floats("rope_factors_short.weight", frequencies.length);
        float[] wide = weights.floats("rope_factors_long.weight", frequencies.length);
        divide(frequencies, context > trained ? wide : narrow);
      }
    }
    return frequencies;
  }

  private static float magnitude(RopeConfig.Scaling scaling) {
    return switch (scaling) {
      case RopeConfig.Scaling.Linear linear -> 1;
      case RopeConfig.Scaling.Yarn yarn -> yarn.magnitude();
      case RopeConfig.Scaling.LongRope longRope -> longRope.magnitude();
    };
  }

  private static void divide(float[] frequencies, float[] factors) {
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= factors[i];
    }
  }

  private static void ramp(float[] frequencies, RopeConfig rope, RopeConfig.Scaling.Yarn yarn) {
    double low = pair(yarn.fast(), rope, yarn);
    double high = pair(yarn.slow(), rope, yarn);
    if (yarn.wholePairs()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, rope.dimensions() - 1);
    if (low == high) {
      high += 0.001;
    }
    for (int i = 0; i < frequencies.length; i++) {
      float slow = (float) Math.clamp((i - low) / (high - low), 0, 1);
      frequencies[i] = frequencies[i] / yarn.factor() * slow + frequencies[i] * (1 - slow);
    }
  }

  /** The pair, counted with fractions, that makes so many turns in the context before scaling. */
  private static double pair(float turns, RopeConfig rope, RopeConfig.Scaling.Yarn yarn) {
    return rope.dimensions()
        * Math.log(yarn.context() / (turns * 2 * Math.PI))
        / (2 * Math.log(rope.base()));
  }
}
