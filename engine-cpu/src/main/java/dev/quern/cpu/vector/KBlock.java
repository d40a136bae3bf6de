package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.N;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/** The header of a block of Q4_K or Q5_K: two f16 and twelve bytes of 6-bit scales and minima. */
final class KBlock {
  /** Which byte holds the low bits of each scale, then of each minimum. */
  private static final int[] LOW = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 8, 9, 10, 11};

  /** Which byte holds the two upper bits. */
  private static final int[] HIGH = {0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 4, 5, 6, 7};

  private static final VectorShuffle<Integer> LOW_PLACES = VectorShuffle.fromOp(I, i -> LOW[i] % N);

  private static final VectorShuffle<Integer> HIGH_PLACES =
      VectorShuffle.fromOp(I, i -> HIGH[i] % N);

  private static final IntVector LOW_SHIFTS = lanes(i -> i >= 12 ? 4 : 0);
  private static final IntVector LOW_MASKS = lanes(i -> i % 8 < 4 ? 63 : 15);
  private static final IntVector HIGH_MASKS = lanes(i -> i % 8 < 4 ? 0 : 48);
  private static final VectorMask<Float> MINIMA = Lanes.F.indexInRange(0, 8).not();

  private KBlock() {}

  /**
   * {@code d · scⱼ} of the eight parts, then {@code dmin · mⱼ}.
   *
   * @param w the weights
   * @param at where the block starts
   * @param factors receives sixteen numbers
   */
  static void factors(MemorySegment w, long at, float[] factors) {
    float d = Lanes.half(w, at);
    float dmin = Lanes.half(w, at + 2);
    if (N == 16) {
      IntVector bytes = Lanes.u8(w, at + 4);
      IntVector low =
          bytes.rearrange(LOW_PLACES).lanewise(VectorOperators.LSHR, LOW_SHIFTS).and(LOW_MASKS);
      IntVector high =
          bytes.rearrange(HIGH_PLACES).lanewise(VectorOperators.LSHR, 2).and(HIGH_MASKS);
      FloatVector scale = Lanes.splat(d).blend(Lanes.splat(dmin), MINIMA);
      Lanes.toFloat(low.or(high)).mul(scale).intoArray(factors, 0);
      return;
    }
    int s = Lanes.int32(w, at + 4);
    int m = Lanes.int32(w, at + 8);
    int both = Lanes.int32(w, at + 12);
    spread(s & 0x3F3F3F3F, d, factors, 0);
    spread((both & 0x0F0F0F0F) | ((s >>> 2) & 0x30303030), d, factors, 4);
    spread(m & 0x3F3F3F3F, dmin, factors, 8);
    spread(((both >>> 4) & 0x0F0F0F0F) | ((m >>> 2) & 0x30303030), dmin, factors, 12);
  }

  private static void spread(int bytes, float scale, float[] factors, int at) {
    for (int i = 0; i < 4; i++) {
      factors[at + i] = scale * ((bytes >>> (8 * i)) & 255);
    }
  }

  /** {@code Σⱼ factors[8 + j] · sums[8 + j]}, lane by lane. */
  static FloatVector minima(float[] factors, float[] sums, int at, FloatVector rest) {
    for (int j = N == 16 ? 0 : 8; j < 16; j += N) {
      rest =
          FloatVector.fromArray(Lanes.F, factors, j)
              .fma(FloatVector.fromArray(Lanes.F, sums, at + j), rest);
    }
    return rest;
  }

  private static IntVector lanes(java.util.function.IntUnaryOperator value) {
    int[] lanes = new int[N];
    for (int i = 0; i < N; i++) {
      lanes[i] = value.applyAsInt(i);
    }
    return IntVector.fromArray(I, lanes, 0);
  }
}
