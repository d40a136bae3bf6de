package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.toFloat;
import static dev.quern.cpu.vector.Lanes.u8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Decodes block-quantised weights. */
final class BlockUnpack {
  private BlockUnpack() {}

  static void q8(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 32) {
      float d = Lanes.half(w, wAt);
      for (int l = 0; l < 32; l += N) {
        put(Lanes.s8(w, wAt + 2 + l), d, 0, target, at + 4L * (k + l));
      }
      wAt += 34;
    }
  }

  static void q4(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 32) {
      float d = Lanes.half(w, wAt);
      for (int l = 0; l < 16; l += N) {
        IntVector q = u8(w, wAt + 2 + l);
        put(q.and(15).sub(8), d, 0, target, at + 4L * (k + l));
        put(shift(q, 4).sub(8), d, 0, target, at + 4L * (k + 16 + l));
      }
      wAt += 18;
    }
  }

  static void tq2(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 256) {
      float d = Lanes.half(w, wAt + 64);
      for (int h = 0; h < 2; h++) {
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(w, wAt + 32L * h + l);
          for (int n = 0; n < 4; n++) {
            long place = at + 4L * (k + 128 * h + 32 * n + l);
            put(shift(q, 2 * n).and(3).sub(1), d, 0, target, place);
          }
        }
      }
      wAt += 66;
    }
  }

  static void q4k(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 256) {
      KBlock.factors(w, wAt, factors);
      for (int c = 0; c < 4; c++) {
        float low = factors[2 * c];
        float high = factors[2 * c + 1];
        float lowMin = factors[8 + 2 * c];
        float highMin = factors[9 + 2 * c];
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(w, wAt + 16 + 32L * c + l);
          long place = at + 4L * (k + 64 * c + l);
          put(q.and(15), low, -lowMin, target, place);
          put(shift(q, 4), high, -highMin, target, place + 128);
        }
      }
      wAt += 144;
    }
  }

  static void q5k(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 256) {
      KBlock.factors(w, wAt, factors);
      for (int c = 0; c < 4; c++) {
        float low = factors[2 * c];
        float high = factors[2 * c + 1];
        float lowMin = factors[8 + 2 * c];
        float highMin = factors[9 + 2 * c];
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(w, wAt + 48 + 32L * c + l);
          IntVector bits = shift(u8(w, wAt + 16 + l), 2 * c);
          long place = at + 4L * (k + 64 * c + l);
          put(q.and(15).or(lift(bits.and(1), 4)), low, -lowMin, target, place);
          put(shift(q, 4).or(lift(bits.and(2), 3)), high, -highMin, target, place + 128);
        }
      }
      wAt += 176;
    }
  }

  static void q6k(
      MemorySegment w, long wAt, int count, MemorySegment target, long at, float[] factors) {
    for (int k = 0; k < count; k += 256) {
      sixteen(w, wAt, factors);
      for (int part = 0; part < 4; part++) { // quarters of 32 bytes: two of each half
        for (int l = 0; l < 32; l += N) {
          IntVector q = u8(w, wAt + 32L * part + l);
          IntVector bits = shift(u8(w, wAt + 128 + 32L * (part / 2) + l), 2 * (part % 2));
          int j = 8 * (part / 2) + 2 * (part % 2) + l / 16;
          long place = at + 4L * (k + 128 * (part / 2) + 32 * (part % 2) + l);
          six(q.and(15).or(lift(bits.and(3), 4)), factors[j], target, place);
          six(shift(q, 4).or(bits.and(48)), factors[j + 4], target, place + 256);
        }
      }
      wAt += 210;
    }
  }

  /** {@code d · scⱼ} of the sixteen parts. */
  private static void sixteen(MemorySegment w, long at, float[] factors) {
    float d = Lanes.half(w, at + 208);
    for (int j = 0; j < 16; j++) {
      factors[j] = d * w.get(ValueLayout.JAVA_BYTE, at + 192 + j);
    }
  }

  private static void six(IntVector q, float factor, MemorySegment target, long at) {
    put(q.sub(32), factor, 0, target, at);
  }

  /** {@code target = q · scale + offset}. */
  private static void put(IntVector q, float scale, float offset, MemorySegment target, long at) {
    FloatVector value = toFloat(q).fma(Lanes.splat(scale), Lanes.splat(offset));
    Lanes.store(value, target, at);
  }

  private static IntVector shift(IntVector q, int bits) {
    return q.lanewise(VectorOperators.LSHR, bits);
  }

  private static IntVector lift(IntVector q, int bits) {
    return q.lanewise(VectorOperators.LSHL, bits);
  }
}
