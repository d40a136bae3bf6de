package dev.quern.testkit;

import dev.quern.core.Precision;

/**
 * How far a result may be from the reference, and why that far.
 *
 * @param exact the bound under {@link Precision#EXACT}
 * @param fast the bound under {@link Precision#FAST}
 * @param reason where the numbers come from
 */
public record Tolerance(Bound exact, Bound fast, String reason) {
  /** The unit roundoff of float32: half a unit in the last place of 1. */
  private static final double EPSILON = 0x1p-24;

  /** Integers, copies and selections. */
  public static final Tolerance BITS =
      same(new Bound.Bits(), "nothing is computed, so nothing may change");

  /** Sums and products of two numbers. */
  public static final Tolerance ONE_ROUNDING =
      same(new Bound.Relative(2 * EPSILON, 1e-37), "one rounding, subnormals may be flushed");

  /** {@code x / (1 + e⁻ˣ)}. */
  public static final Tolerance SWISH =
      new Tolerance(
          new Bound.Relative(8 * EPSILON, 1e-35),
          new Bound.Relative(256 * EPSILON, 1e-35),
          "4 units in the last place; fast exponentials lose log2(|x|) bits of the argument");

  /** {@code x / (1 + e⁻²ᵘ)} with u a cubic in x. */
  public static final Tolerance GELU =
      same(
          new Bound.Relative(1024 * EPSILON, 1e-30),
          "8 ε for each unit of the exponent, which reaches 88 before the result vanishes");

  /** {@code c · tanh(x / c)}. */
  public static final Tolerance SOFT_CAP =
      same(
          new Bound.OfLargest(16 * EPSILON),
          "a tanh may be 1 − 2 / (e²ˣ + 1), whose error is relative to 1");

  /** Normalisations. */
  public static final Tolerance NORM =
      same(
          new Bound.Relative(128 * EPSILON, 1e-12),
          "float32 even in FAST: a sum of up to 1,000 positive numbers and a few roundings");

  /** Softmax over a row. */
  public static final Tolerance SOFTMAX =
      same(
          new Bound.Relative(256 * EPSILON, 1e-12),
          "float32 even in FAST: the error of e^x is |x|·ε, and |x| reaches 100 here");

  /** Rotations. */
  public static final Tolerance ROPE =
      same(
          new Bound.OfLargest(8 * EPSILON),
          "two products and a sum; cancellation makes it relative to the largest element");

  /** Decoded weights. */
  public static final Tolerance EMBED =
      same(
          new Bound.OfLargest(4 * EPSILON),
          "the decoder's order of roundings; a fused multiply-add drops one of them");

  /** Dot products with stored weights. */
  public static final Tolerance DOT =
      new Tolerance(
          new Bound.Dot(64 * EPSILON, 1e-10),
          new Bound.Dot(1e-2, 5e-4),
          "EXACT: c·ε·Σ|ab| with c = 64 for float32 sums in any order, which f16 operands exceed;"
              + " FAST: activations rounded to int8 have steps of 1/127 of their block's largest");

  /** Weighted sums of a few activations. */
  public static final Tolerance SHORT_SUM =
      same(new Bound.Dot(16 * EPSILON, 1e-12), "c·ε·Σ|ab| with few terms, float32 even in FAST");

  /** Attention over float32 or f16 caches. */
  public static final Tolerance ATTENTION =
      new Tolerance(
          new Bound.OfLargest(3e-5, 1e-10),
          new Bound.OfLargest(2e-2, 1e-4),
          "an error of δ in a score changes its weight by a factor 1 + δ; scores reach 50 here."
              + " FAST: f16 queries and weights have 11 bits");

  /** Several operations in a row. */
  public static final Tolerance CHAIN =
      new Tolerance(
          new Bound.Nmse(1e-10),
          new Bound.Nmse(2e-3),
          "errors of several dot products in a row add up; FAST: each rounds to int8 once more");

  /** Softmax of a dot product. */
  public static final Tolerance LOOSE_SOFTMAX =
      new Tolerance(
          new Bound.Nmse(1e-9),
          new Bound.Nmse(2e-2),
          "an error of δ in a score changes its weight by a factor 1 + δ, and scores reach 30");

  /** Fast dot products with outliers in the activations, which take most of the int8 range. */
  public static final Tolerance OUTLIERS =
      new Tolerance(
          new Bound.Dot(64 * EPSILON, 1e-10),
          new Bound.Nmse(2e-2),
          "an outlier 20 times the rest leaves int8 activations 3 bits");

  /** The bound that holds for {@code precision}. */
  public Bound bound(Precision precision) {
    return precision == Precision.EXACT ? exact : fast;
  }

  private static Tolerance same(Bound bound, String reason) {
    return new Tolerance(bound, bound, reason);
  }

  /** A bound on the difference of one tensor from the reference. */
  public sealed interface Bound {
    /** Equal bit for bit. */
    record Bits() implements Bound {}

    /**
     * {@code |error| ≤ factor · |expected| + floor} for every element.
     *
     * @param factor relative part
     * @param floor absolute part
     */
    record Relative(double factor, double floor) implements Bound {}

    /**
     * {@code |error| ≤ factor · max|expected|} for every element, and a limit for the tensor.
     *
     * @param factor relative to the largest element
     * @param nmse limit of the normalised mean squared error
     */
    record OfLargest(double factor, double nmse) implements Bound {
      OfLargest(double factor) {
        this(factor, factor * factor);
      }
    }

    /**
     * {@code |error| ≤ factor · Σ|aᵢ·bᵢ|} for every element, and a limit for the tensor.
     *
     * @param factor relative to the sum of the absolute products
     * @param nmse limit of the normalised mean squared error
     */
    record Dot(double factor, double nmse) implements Bound {}

    /**
     * {@code Σ error² / Σ expected² ≤ limit} for the tensor.
     *
     * @param limit the limit
     */
    record Nmse(double limit) implements Bound {}
  }
}
