package dev.quern.transformer;

import dev.quern.gguf.GgufMetadata;

/** How the states of a text's tokens become one vector. */
public enum Pooling {
  /** The mean of all. */
  MEAN {
    @Override
    float[] of(float[][] states) {
      double[] sum = new double[states[0].length];
      for (float[] state : states) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += state[i];
        }
      }
      float[] mean = new float[sum.length];
      for (int i = 0; i < sum.length; i++) {
        mean[i] = (float) (sum[i] / states.length);
      }
      return mean;
    }
  },

  /** That of the last token. */
  LAST {
    @Override
    float[] of(float[][] states) {
      return states[states.length - 1];
    }
  },

  /** That of the first token. */
  CLS {
    @Override
    float[] of(float[][] states) {
      return states[0];
    }
  };

  /** That of the file, the mean where it does not say. */
  static Pooling of(GgufMetadata metadata) {
    String key = metadata.requireString("general.architecture") + ".pooling_type";
    int type = metadata.findInt(key).orElse(0);
    return switch (type) {
      case 0, 1 -> MEAN;
      case 2 -> CLS;
      case 3 -> LAST;
      default ->
          throw new ModelException(
              "%s must be 0 to 3 (none, mean, first, last) but is %d; name a pooling"
                  .formatted(key, type));
    };
  }

  /** The vector of {@code [tokens][width]} states. */
  abstract float[] of(float[][] states);
}
