package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;

/** Widens weights that have one number an element. */
final class DenseUnpack {
  private DenseUnpack() {}

  static void f32(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    MemorySegment.copy(w, wAt, target, at, 4L * count);
  }

  static void f16(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    int k = 0;
    for (; k <= count - N; k += N) {
      Lanes.store(Lanes.f16(w, wAt + 2L * k), target, at + 4L * k);
    }
    for (; k < count; k++) {
      target.set(RowMath.F32, at + 4L * k, Lanes.half(w, wAt + 2L * k));
    }
  }

  static void bf16(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    int k = 0;
    for (; k <= count - N; k += N) {
      Lanes.store(Lanes.bf16(w, wAt + 2L * k), target, at + 4L * k);
    }
    for (; k < count; k++) {
      float value = Float.intBitsToFloat(w.get(RowMath.I16, wAt + 2L * k) << 16);
      target.set(RowMath.F32, at + 4L * k, value);
    }
  }
}
