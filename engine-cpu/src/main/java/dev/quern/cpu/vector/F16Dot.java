package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.zero;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * F16 weights. Their bits moved to where a float32 has them are {@code w · 2^−112}, which is taken
 * back from the sums; activations times {@code 2^64} keep products far from where float32 ends.
 */
final class F16Dot extends PairDot {
  F16Dot() {
    super(0x1p64f, 0x1p48f);
  }

  @Override
  void four(
      MemorySegment weights,
      long w0,
      long w1,
      long w2,
      long w3,
      MemorySegment x,
      int count,
      float[] sums) {
    MemorySegment w = Lanes.offHeap(weights);
    FloatVector a = zero();
    FloatVector b = zero();
    FloatVector c = zero();
    FloatVector d = zero();
    for (int k = 0; k < count; k += 2 * N) {
      FloatVector even = f32(x, 4L * k);
      FloatVector odd = f32(x, 4L * (k + N));
      IntVector both = IntVector.fromMemorySegment(I, w, w0 + 2L * k, LE);
      a = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(even, a);
      a = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(odd, a);
      both = IntVector.fromMemorySegment(I, w, w1 + 2L * k, LE);
      b = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(even, b);
      b = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(odd, b);
      both = IntVector.fromMemorySegment(I, w, w2 + 2L * k, LE);
      c = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(even, c);
      c = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(odd, c);
      both = IntVector.fromMemorySegment(I, w, w3 + 2L * k, LE);
      d = both.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(even, d);
      d = both.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats().fma(odd, d);
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, N);
    c.intoArray(sums, 2 * N);
    d.intoArray(sums, 3 * N);
  }

  @Override
  float weight(MemorySegment w, long at) {
    return Lanes.half(w, at);
  }

  /** One row, activations in order. */
  static float dot(MemorySegment w, long wAt, MemorySegment x, long xAt, int count) {
    FloatVector a = zero();
    FloatVector b = zero();
    int k = 0;
    for (; k <= count - 2 * N; k += 2 * N) {
      a = Lanes.f16(w, wAt + 2L * k).fma(f32(x, xAt + 4L * k), a);
      b = Lanes.f16(w, wAt + 2L * (k + N)).fma(f32(x, xAt + 4L * (k + N)), b);
    }
    for (; k <= count - N; k += N) {
      a = Lanes.f16(w, wAt + 2L * k).fma(f32(x, xAt + 4L * k), a);
    }
    float sum = Lanes.sum(a.add(b));
    for (; k < count; k++) {
      sum += Lanes.half(w, wAt + 2L * k) * x.get(RowMath.F32, xAt + 4L * k);
    }
    return sum;
  }
}
