package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.F;
import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.f32;
import static dev.quern.cpu.vector.Lanes.splat;

import dev.quern.cpu.kernel.AttentionMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** The inner loops of attention over float32 caches. */
final class FloatAttention {

  private FloatAttention() {}

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
      FloatVector kLow = f32(keys, place);
      FloatVector kHigh = f32(keys, place + 4L * N);
      FloatVector query = FloatVector.fromArray(F, q, first);
      s0 = kLow.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + N);
      s0 = kHigh.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 2 * N);
      s1 = kLow.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 3 * N);
      s1 = kHigh.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 4 * N);
      s2 = kLow.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 5 * N);
      s2 = kHigh.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 6 * N);
      s3 = kLow.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 7 * N);
      s3 = kHigh.fma(query, s3);
      kLow = f32(keys, place + 8L * N);
      kHigh = f32(keys, place + 12L * N);
      query = FloatVector.fromArray(F, q, first + 8 * N);
      s0 = kLow.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 9 * N);
      s0 = kHigh.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 10 * N);
      s1 = kLow.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 11 * N);
      s1 = kHigh.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 12 * N);
      s2 = kLow.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 13 * N);
      s2 = kHigh.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 14 * N);
      s3 = kLow.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 15 * N);
      s3 = kHigh.fma(query, s3);
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
      FloatVector kLow = f32(keys, place);
      FloatVector kHigh = f32(keys, place + 4L * N);
      FloatVector query = FloatVector.fromArray(F, q, first);
      s0 = kLow.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + N);
      s0 = kHigh.fma(query, s0);
      query = FloatVector.fromArray(F, q, first + 2 * N);
      s1 = kLow.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 3 * N);
      s1 = kHigh.fma(query, s1);
      query = FloatVector.fromArray(F, q, first + 4 * N);
      s2 = kLow.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 5 * N);
      s2 = kHigh.fma(query, s2);
      query = FloatVector.fromArray(F, q, first + 6 * N);
      s3 = kLow.fma(query, s3);
      query = FloatVector.fromArray(F, q, first + 7 * N);
      s3 = kHigh.fma(query, s3);
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
      long vAt = at + j * stride;
      FloatVector vLow = f32(values, vAt);
      FloatVector vHigh = f32(values, vAt + 4L * N);
      FloatVector weight = splat(weights[first + AttentionMath.HEADS * j]);
      a0 = vLow.fma(weight, a0);
      b0 = vHigh.fma(weight, b0);
      weight = splat(weights[first + AttentionMath.HEADS * j + 1]);
      a1 = vLow.fma(weight, a1);
      b1 = vHigh.fma(weight, b1);
      weight = splat(weights[first + AttentionMath.HEADS * j + 2]);
      a2 = vLow.fma(weight, a2);
      b2 = vHigh.fma(weight, b2);
      weight = splat(weights[first + AttentionMath.HEADS * j + 3]);
      a3 = vLow.fma(weight, a3);
      b3 = vHigh.fma(weight, b3);
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
