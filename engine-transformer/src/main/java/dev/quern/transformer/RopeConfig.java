package dev.quern.transformer;

import dev.quern.core.op.Rope;

/**
 * How positions are embedded: pair i of a head at position p turns by {@code p · fᵢ}, with {@code
 * fᵢ = base^(−2i/dimensions)} changed by the scaling (<a href="https://arxiv.org/abs/2104.09864">Su
 * et al. 2021</a>).
 *
 * @param base of the inverse frequencies
 * @param dimensions elements of a head that rotate
 * @param pairing which elements rotate together
 * @param scaling how the frequencies are changed for long contexts
 */
public record RopeConfig(float base, int dimensions, Rope.Pairing pairing, Scaling scaling) {
  /** How the inverse frequencies are changed for contexts longer than those first trained for. */
  public sealed interface Scaling {
    /**
     * All frequencies are divided by a factor, 1 for none; and by those of tensor {@code
     * rope_freqs.weight} where the file has it, which is how files carry the scaling of Llama 3.1.
     *
     * @param factor the divisor
     */
    record Linear(float factor) implements Scaling {}

    /**
     * Slow pairs are divided by the factor, fast ones are not, between them is a ramp; and cosines
     * and sines are multiplied by a magnitude, {@code 0.1·ln(factor) + 1} where the file does not
     * say (<a href="https://arxiv.org/abs/2309.00071">YaRN</a>).
     *
     * @param factor the divisor
     * @param context positions before scaling
     * @param fast turns in that context from which on a pair is fast
     * @param slow turns in that context up to which a pair is slow
     * @param wholePairs whether the ends of the ramp are rounded to whole pairs
     * @param magnitude factor of cosines and sines
     */
    record Yarn(
        float factor, int context, float fast, float slow, boolean wholePairs, float magnitude)
        implements Scaling {}

    /**
     * Each frequency is divided by its own factor, of tensor {@code rope_factors_long.weight} if
     * the context is longer than that before scaling, else of {@code rope_factors_short.weight};
     * and cosines and sines are multiplied by a magnitude (<a
     * href="https://arxiv.org/abs/2402.13753">LongRoPE</a>).
     *
     * @param context positions before scaling
     * @param magnitude factor of cosines and sines
     */
    record LongRope(int context, float magnitude) implements Scaling {}
  }
}
