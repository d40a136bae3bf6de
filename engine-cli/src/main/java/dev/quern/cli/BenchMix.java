package dev.quern.cli;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.util.Locale;

/**
 * Which matrix of a model is stored in which format.
 *
 * @param name how the command calls it
 * @param common format of most matrices
 * @param output format of the output matrix, and of a tied embedding
 * @param embedding format of an embedding that is not tied
 * @param precise format of the matrices that Q4_K_M keeps better: {@code attn_v} and {@code
 *     ffn_down} in some layers
 */
record BenchMix(
    String name,
    WeightFormat common,
    WeightFormat output,
    WeightFormat embedding,
    WeightFormat precise) {
  /**
   * The mix of this name: {@code Q4_K_M}, {@code Q4_0}, {@code Q8_0}, {@code F16}, {@code TQ2_0}.
   */
  static BenchMix of(String name) {
    return switch (name.toUpperCase(Locale.ROOT)) {
      case "Q4_K_M" ->
          new BenchMix(
              "Q4_K_M",
              WeightFormats.Q4_K,
              WeightFormats.Q6_K,
              WeightFormats.Q4_K,
              WeightFormats.Q6_K);
      case "TQ2_0" ->
          new BenchMix(
              "TQ2_0",
              WeightFormats.TQ2_0,
              WeightFormats.Q6_K,
              WeightFormats.Q6_K,
              WeightFormats.TQ2_0);
      case "Q4_0" -> plain(WeightFormats.Q4_0);
      case "Q8_0" -> plain(WeightFormats.Q8_0);
      case "F16" -> plain(WeightFormats.F16);
      default ->
          throw new UsageException(
              "--quant: must be one of Q4_K_M, Q4_0, Q8_0, F16, TQ2_0 but is " + name);
    };
  }

  private static BenchMix plain(WeightFormat format) {
    return new BenchMix(format.name(), format, format, format, format);
  }

  /** Format of {@code attn_v} and {@code ffn_down}. */
  WeightFormat precise(int layer, int layers) {
    int eighth = layers / 8;
    boolean better = layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
    return better ? precise : common;
  }
}
