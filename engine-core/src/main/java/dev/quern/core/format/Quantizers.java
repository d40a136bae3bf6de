package dev.quern.core.format;

import java.util.List;
import java.util.Optional;

/** The quantizers Quern knows. A new one is a line here. */
public final class Quantizers {
  public static final Quantizer Q4_0 = new Q4_0Quantizer();
  public static final Quantizer Q8_0 = new Q8_0Quantizer();
  public static final Quantizer Q8_K = new Q8_KQuantizer();
  public static final Quantizer TQ1_0 = new TQ1_0Quantizer();
  public static final Quantizer TQ2_0 = new TQ2_0Quantizer();

  private static final List<Quantizer> ALL = List.of(Q4_0, Q8_0, Q8_K, TQ1_0, TQ2_0);

  private Quantizers() {}

  /** All quantizers. */
  public static List<Quantizer> all() {
    return ALL;
  }

  /** The quantizer that writes {@code format}, if there is one. */
  public static Optional<Quantizer> of(WeightFormat format) {
    return ALL.stream().filter(quantizer -> quantizer.format().equals(format)).findFirst();
  }

  /** The largest absolute value of a block. */
  static float largest(float[] source, int from, int count) {
    float largest = 0;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, Math.abs(source[i]));
    }
    return largest;
  }

  /** The number of a block whose absolute value is largest, with its sign; the first on ties. */
  static float extreme(float[] source, int from, int count) {
    float extreme = 0;
    for (int i = from; i < from + count; i++) {
      extreme = Math.abs(source[i]) > Math.abs(extreme) ? source[i] : extreme;
    }
    return extreme;
  }

  /** {@code 1 / d}, or 0 for 0. */
  static float inverse(float d) {
    return d == 0 ? 0 : 1 / d;
  }

  /** To the nearest integer, halves away from zero, as C's {@code roundf}. */
  static int round(float x) {
    int magnitude = (int) (Math.abs((double) x) + 0.5);
    return x < 0 ? -magnitude : magnitude;
  }
}
