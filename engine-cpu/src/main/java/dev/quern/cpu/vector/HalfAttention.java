package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.LaneMath.HALF;
import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.I;
import static dev.quern.cpu.vector.Lanes.LE;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.splat;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.cpu.kernel.AttentionMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The inner loops of attention over f16 caches. Bits moved to where a float32 has them are the
 * number times 2^−112; the other factor is given times 2^64, and sums times 2^48 are right.
 */
final class HalfAttention {
  /** By what queries and weights are multiplied. */
  static final float UP = 0x1p64f;

  /** By what sums are multiplied. */
  static final float DOWN = 0x1p48f;

  private HalfAttention() {}

  /**
   * Adds products of two chunks of keys with four queries to N sums each, key by key and head by
   * head.
   *
   * @param keys the cache
   * @param at where the chunks of the first key start
   * @param stride bytes from one key to the next
   * @param count keys
   * @param q the queries
   * @param first where their chunks start
   * @param sums the sums
   */
  static void two(
      MemorySegment keys, long at, long stride, int count, float[] q, int first, float[] sums) {
    for (int j = 0; j < count; j++) {
      long place = at + j * stride;
      int to = j * (AttentionMath.HEADS * N);
      FloatVector s0 = FloatVector.fromArray(F, sums, to);
      FloatVector s1 = FloatVector.fromArray(F, sums, to + N);
      FloatVector s2 = FloatVector.fromArray(F, sums, to + 2 * N);
      FloatVector s3 = FloatVector.fromArray(F, sums, to + 3 * N);
      IntVector k = IntVector.fromMemorySegment(I, Lanes.offHeap(keys), place, LE);
      FloatVector kEven = k.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector kOdd = k.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector query = FloatVector.fromArray(F, q, first);
      s0 = kEven.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + N);
      s0 = kOdd.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 2 * N);
      s1 = kEven.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 3 * N);
      s1 = kOdd.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 4 * N);
      s2 = kEven.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 5 * N);
      s2 = kOdd.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 6 * N);
      s3 = kEven.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 7 * N);
      s3 = kOdd.fma(query, s3);
      k = IntVector.fromMemorySegment(I, Lanes.offHeap(keys), place + 4L * N, LE);
      kEven = k.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      kOdd = k.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      query = FloatVector.fromArray(F, q, first + 8 * N);
      s0 = kEven.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 9 * N);
      s0 = kOdd.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 10 * N);
      s1 = kEven.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 11 * N);
      s1 = kOdd.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 12 * N);
      s2 = kEven.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 13 * N);
      s2 = kOdd.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 14 * N);
      s3 = kEven.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 15 * N);
      s3 = kOdd.fma(query, s3);
      s0.intoArray(sums, to);
      s1.intoArray(sums, to + N);
      s2.intoArray(sums, to + 2 * N);
      s3.intoArray(sums, to + 3 * N);
    }
  }

  /**
   * Adds products of a chunk of keys with four queries to N sums each, key by key and head by head.
   *
   * @param keys the cache
   * @param at where the chunk of the first key starts
   * @param stride bytes from one key to the next
   * @param count keys
   * @param q the queries
   * @param first where their chunk starts
   * @param sums the sums
   */
  static void one(
      MemorySegment keys, long at, long stride, int count, float[] q, int first, float[] sums) {
    for (int j = 0; j < count; j++) {
      long place = at + j * stride;
      int to = j * (AttentionMath.HEADS * N);
      FloatVector s0 = FloatVector.fromArray(F, sums, to);
      FloatVector s1 = FloatVector.fromArray(F, sums, to + N);
      FloatVector s2 = FloatVector.fromArray(F, sums, to + 2 * N);
      FloatVector s3 = FloatVector.fromArray(F, sums, to + 3 * N);
      IntVector k = IntVector.fromMemorySegment(I, Lanes.offHeap(keys), place, LE);
      FloatVector kEven = k.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector kOdd = k.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector query = FloatVector.fromArray(F, q, first);
      s0 = kEven.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + N);
      s0 = kOdd.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 2 * N);
      s1 = kEven.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 3 * N);
      s1 = kOdd.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 4 * N);
      s2 = kEven.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 5 * N);
      s2 = kOdd.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 6 * N);
      s3 = kEven.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 7 * N);
      s3 = kOdd.fma(query, s3);
      s0.intoArray(sums, to);
      s1.intoArray(sums, to + N);
      s2.intoArray(sums, to + 2 * N);
      s3.intoArray(sums, to + 3 * N);
    }
  }

  /**
   * Adds the products of a chunk of values with their weights to four sums of two vectors each.
   *
   * @param values the cache
   * @param at where the chunk starts at the first position
   * @param stride bytes from one position to the next
   * @param positions how many
   * @param weights of four heads, position by position
   * @param first where they start
   * @param sums the sums
   * @param to where they start
   */
  static void values(
      MemorySegment values,
      long at,
      long stride,
      int positions,
      float[] weights,
      int first,
      float[] sums,
      int to) {
    FloatVector a0 = FloatVector.fromArray(F, sums, to);
    FloatVector b0 = FloatVector.fromArray(F, sums, to + N);
    FloatVector a1 = FloatVector.fromArray(F, sums, to + 2 * N);
    FloatVector b1 = FloatVector.fromArray(F, sums, to + 3 * N);
    FloatVector a2 = FloatVector.fromArray(F, sums, to + 4 * N);
    FloatVector b2 = FloatVector.fromArray(F, sums, to + 5 * N);
    FloatVector a3 = FloatVector.fromArray(F, sums, to + 6 * N);
    FloatVector b3 = FloatVector.fromArray(F, sums, to + 7 * N);
    for (int j = 0; j < positions; j++) {
      IntVector v = IntVector.fromMemorySegment(I, Lanes.offHeap(values), at + j * stride, LE);
      FloatVector vEven = v.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector vOdd = v.lanewise(ASHR, 3).and(HALF).reinterpretAsFloats();
      FloatVector weight = splat(weights[first + AttentionMath.HEADS * j]);
      a0 = vEven.fma(weight, a0);
      b0 = vOdd.fma(weight, b0);
      weight = splat(weights[first + AttentionMath.HEADS * j + 1]);
      a1 = vEven.fma(weight, a1);
      b1 = vOdd.fma(weight, b1);
      weight = splat(weights[first + AttentionMath.HEADS * j + 2]);
      a2 = vEven.fma(weight, a2);
      b2 = vOdd.fma(weight, b2);
      weight = splat(weights[first + AttentionMath.HEADS * j + 3]);
      a3 = vEven.fma(weight, a3);
      b3 = vOdd.fma(weight, b3);
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + N);
    a1.intoArray(sums, to + 2 * N);
    b1.intoArray(sums, to + 3 * N);
    a2.intoArray(sums, to + 4 * N);
    b2.intoArray(sums, to + 5 * N);
    a3.intoArray(sums, to + 6 * N);
    b3.intoArray(sums, to + 7 * N);
  }
}
