package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.splat;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@code eˣ = 2ⁿ · eʳ} with {@code n = rint(x / ln 2)} and a polynomial for {@code eʳ} (<a
 * href="https://www.netlib.org/cephes/">Cephes</a>, expf). Numbers: below −104 the result is 0,
 * above 88.8 infinity. Accuracy: 2 units in the last place. The API's own EXP is a scalar call for
 * each lane where the JVM has no vector library.
 */
final class Exp {
  /** The upper half of the lanes. */
  static final VectorMask<Float> UPPER = F.indexInRange(0, Lanes.N / 2).not();

  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;

  /** {@code 1.5 · 2²³}: adding it rounds to an integer, which then stands in the low bits. */
  static final float ROUND = 12582912f;

  static final int ROUND_BITS = 0x4B400000;

  private Exp() {}

  static FloatVector of(FloatVector x) {
    FloatVector in = x.max(-104f).min(89f);
    FloatVector rounded = in.fma(splat(LOG2_E), splat(ROUND));
    FloatVector n = rounded.sub(ROUND);
    FloatVector r = n.fma(splat(-LN2_HIGH), in);
    r = n.fma(splat(-LN2_LOW), r);
    FloatVector p = splat(1.9875691e-4f).fma(r, splat(1.3981999e-3f));
    p = p.fma(r, splat(8.333452e-3f));
    p = p.fma(r, splat(4.1665796e-2f));
    p = p.fma(r, splat(1.6666666e-1f));
    p = p.fma(r, splat(0.5f));
    p = p.fma(r.mul(r), r).add(1);
    // 2^n in two factors, so that the result may be subnormal or infinite
    IntVector exponent = rounded.reinterpretAsInts().sub(ROUND_BITS);
    IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
    return p.mul(power(half)).mul(power(exponent.sub(half)));
  }

  /** {@code cap · tanh(x / cap)}. */
  static FloatVector softCap(FloatVector x, float cap) {
    return splat(-2 * cap).div(of(x.mul(2 / cap)).add(1)).add(cap);
  }

  private static FloatVector power(IntVector exponent) {
    return exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }
}
