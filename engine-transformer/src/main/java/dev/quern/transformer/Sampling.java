package dev.quern.transformer;

/**
 * How the next token is drawn from the logits. The steps run in this order: repeat penalty, top-k,
 * temperature, top-p, min-p, draw.
 *
 * @param temperature logits are divided by this; 0 takes the most likely token
 * @param topK only the k most likely tokens are drawn; 0 for all
 * @param topP only the fewest most likely tokens whose probabilities sum to at least p; 1 for all
 * @param minP only tokens at least p times as likely as the most likely; 0 for all
 * @param repeatPenalty logits of recent tokens are divided by this if positive and multiplied by it
 *     if negative (<a href="https://arxiv.org/abs/1909.05858">Keskar et al. 2019</a>); 1 for none
 * @param seed of the draws; the same seed draws the same tokens on every backend as far as their
 *     logits agree
 */
public record Sampling(
    float temperature, int topK, float topP, float minP, float repeatPenalty, long seed) {
  /** How many of the last tokens the repeat penalty looks at. */
  public static final int REPEAT_WINDOW = 64;

  /**
   * @throws IllegalArgumentException if a value is out of its range; names it
   */
  public Sampling {
    check(temperature >= 0 && Float.isFinite(temperature), "temperature", "≥ 0", temperature);
    check(topK >= 0, "top-k", "≥ 0", topK);
    check(topP > 0 && topP <= 1, "top-p", "above 0 and at most 1", topP);
    check(minP >= 0 && minP <= 1, "min-p", "between 0 and 1", minP);
    check(
        repeatPenalty > 0 && Float.isFinite(repeatPenalty), "repeat penalty", "> 0", repeatPenalty);
  }

  /** Always the most likely token. */
  public static Sampling greedy() {
    return new Sampling(0, 0, 1, 0, 1, 0);
  }

  /** Plain sampling at a temperature. */
  public static Sampling temperature(float temperature, long seed) {
    return new Sampling(temperature, 0, 1, 0, 1, seed);
  }

  /** Whether the result is the arg max of the logits as the model gives them. */
  boolean isArgMax() {
    return temperature == 0 && repeatPenalty == 1;
  }

  private static void check(boolean holds, String name, String rule, Number value) {
    if (!holds) {
      throw new IllegalArgumentException("%s: must be %s but is %s".formatted(name, rule, value));
    }
  }
}
