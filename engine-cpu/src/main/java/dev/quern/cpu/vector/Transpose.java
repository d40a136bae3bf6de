package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.N;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes N by N numbers in an array: in the step of distance s, lanes of a and b whose number
 * has bit s set and unset change places.
 */
final class Transpose {
  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);
  private static final VectorMask<Float> BIT_8 = bit(8);
  private static final VectorMask<Float> BIT_4 = bit(4);
  private static final VectorMask<Float> BIT_2 = bit(2);
  private static final VectorMask<Float> BIT_1 = bit(1);

  private Transpose() {}

  static void square(float[] part) {
    if (N == 16) {
      for (int i = 0; i < N / 2; i++) {
        step(part, i, 8, SWAP_8, BIT_8);
      }
    }
    if (N >= 8) {
      for (int i = 0; i < N / 2; i++) {
        step(part, i, 4, SWAP_4, BIT_4);
      }
    }
    for (int i = 0; i < N / 2; i++) {
      step(part, i, 2, SWAP_2, BIT_2);
    }
    for (int i = 0; i < N / 2; i++) {
      step(part, i, 1, SWAP_1, BIT_1);
    }
  }

  /** The sums of N rows of N numbers each, which are lost. */
  static FloatVector sums(float[] rows, int at) {
    if (N == 16) {
      fold(rows, at, 8, SWAP_8, BIT_8);
    }
    if (N >= 8) {
      fold(rows, at, 4, SWAP_4, BIT_4);
    }
    fold(rows, at, 2, SWAP_2, BIT_2);
    fold(rows, at, 1, SWAP_1, BIT_1);
    return FloatVector.fromArray(F, rows, at);
  }

  /** Adds pairs of lanes, of row i to where the bit is unset, of row i + distance to the others. */
  private static void fold(
      float[] rows, int at, int distance, VectorShuffle<Float> swap, VectorMask<Float> bit) {
    for (int i = at; i < at + N * distance; i += N) {
      FloatVector a = FloatVector.fromArray(F, rows, i);
      FloatVector b = FloatVector.fromArray(F, rows, i + N * distance);
      a.blend(b, bit).add(b.blend(a, bit).rearrange(swap)).intoArray(rows, i);
    }
  }

  /** Step of the {@code i}-th pair of rows that are {@code distance} apart. */
  private static void step(
      float[] part, int i, int distance, VectorShuffle<Float> swap, VectorMask<Float> bit) {
    int low = N * (2 * i - i % distance);
    int high = low + N * distance;
    FloatVector a = FloatVector.fromArray(F, part, low);
    FloatVector b = FloatVector.fromArray(F, part, high);
    a.blend(b.rearrange(swap), bit).intoArray(part, low);
    a.rearrange(swap).blend(b, bit).intoArray(part, high);
  }

  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, i -> (i ^ distance) % N);
  }

  private static VectorMask<Float> bit(int distance) {
    boolean[] set = new boolean[N];
    for (int i = 0; i < N; i++) {
      set[i] = (i & distance) != 0;
    }
    return VectorMask.fromArray(F, set, 0);
  }
}
