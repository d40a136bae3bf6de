package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.zero;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** BF16 weights: the upper halves of float32. */
final class Bf16Dot extends PairDot {
  private static final int UPPER = 0xFFFF0000;

  Bf16Dot() {
    super(1, 1);
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
      a = both.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a);
      a = both.and(UPPER).reinterpretAsFloats().fma(odd, a);
      both = IntVector.fromMemorySegment(I, w, w1 + 2L * k, LE);
      b = both.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, b);
      b = both.and(UPPER).reinterpretAsFloats().fma(odd, b);
      both = IntVector.fromMemorySegment(I, w, w2 + 2L * k, LE);
      c = both.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, c);
      c = both.and(UPPER).reinterpretAsFloats().fma(odd, c);
      both = IntVector.fromMemorySegment(I, w, w3 + 2L * k, LE);
      d = both.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, d);
      d = both.and(UPPER).reinterpretAsFloats().fma(odd, d);
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, N);
    c.intoArray(sums, 2 * N);
    d.intoArray(sums, 3 * N);
  }

  @Override
  float weight(MemorySegment w, long at) {
    return Float.intBitsToFloat(w.get(RowMath.I16, at) << 16);
  }
}
