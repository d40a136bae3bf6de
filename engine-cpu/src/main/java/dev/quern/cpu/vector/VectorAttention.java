package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Attention over f16 or float32 caches, widened in registers. The two kinds have methods of their
 * own, so that each stays small enough for C2 to inline its vectors.
 */
final class VectorAttention implements AttentionMath {
  @Override
  public void scores(
      Cache cache, MemorySegment q, long qAt, float scale, MemorySegment scores, long at) {
    if (cache.half) {
      halfScores(cache, q, qAt, scale, scores, at);
    } else {
      floatScores(cache, q, qAt, scale, scores, at);
    }
  }

  private static void halfScores(
      Cache cache, MemorySegment q, long qAt, float scale, MemorySegment scores, long at) {
    for (int j = 0; j < cache.positions; j++) {
      float sum = F16Dot.dot(cache.bytes, cache.at + j * cache.stride, q, qAt, cache.size);
      scores.set(RowMath.F32, at + 4L * j, scale * sum);
    }
  }

  private static void floatScores(
      Cache cache, MemorySegment q, long qAt, float scale, MemorySegment scores, long at) {
    for (int j = 0; j < cache.positions; j++) {
      float sum = F32Dot.dot(cache.bytes, cache.at + j * cache.stride, q, qAt, cache.size);
      scores.set(RowMath.F32, at + 4L * j, scale * sum);
    }
  }

  @Override
  public void weighted(
      Cache cache, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    int i = 0;
    for (; i <= cache.size - 2 * N; i += 2 * N) {
      if (cache.half) {
        halfPair(cache, i, weights, at, factor, y, yAt);
      } else {
        floatPair(cache, i, weights, at, factor, y, yAt);
      }
    }
    for (; i <= cache.size - N; i += N) {
      one(cache, i, weights, at, factor, y, yAt);
    }
    for (; i < cache.size; i++) {
      float sum = 0;
      for (int j = 0; j < cache.positions; j++) {
        sum += weights.get(RowMath.F32, at + 4L * j) * element(cache, j, i);
      }
      y.set(RowMath.F32, yAt + 4L * i, factor * sum);
    }
  }

  private static void halfPair(
      Cache cache, int i, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    FloatVector a = zero();
    FloatVector b = zero();
    for (int j = 0; j < cache.positions; j++) {
      FloatVector p = splat(weights.get(RowMath.F32, at + 4L * j));
      long place = cache.at + j * cache.stride + 2L * i;
      a = Lanes.f16(cache.bytes, place).fma(p, a);
      b = Lanes.f16(cache.bytes, place + 2L * N).fma(p, b);
    }
    Lanes.store(a.mul(factor), y, yAt + 4L * i);
    Lanes.store(b.mul(factor), y, yAt + 4L * (i + N));
  }

  private static void floatPair(
      Cache cache, int i, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    FloatVector a = zero();
    FloatVector b = zero();
    for (int j = 0; j < cache.positions; j++) {
      FloatVector p = splat(weights.get(RowMath.F32, at + 4L * j));
      long place = cache.at + j * cache.stride + 4L * i;
      a = Lanes.f32(cache.bytes, place).fma(p, a);
      b = Lanes.f32(cache.bytes, place + 4L * N).fma(p, b);
    }
    Lanes.store(a.mul(factor), y, yAt + 4L * i);
    Lanes.store(b.mul(factor), y, yAt + 4L * (i + N));
  }

  private static void one(
      Cache cache, int i, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    FloatVector a = zero();
    for (int j = 0; j < cache.positions; j++) {
      a = load(cache, j, i).fma(splat(weights.get(RowMath.F32, at + 4L * j)), a);
    }
    Lanes.store(a.mul(factor), y, yAt + 4L * i);
  }

  private static FloatVector load(Cache cache, int j, int i) {
    long place = cache.at + j * cache.stride;
    return cache.half
        ? Lanes.f16(cache.bytes, place + 2L * i)
        : Lanes.f32(cache.bytes, place + 4L * i);
  }

  private static float element(Cache cache, int j, int i) {
    long place = cache.at + j * cache.stride;
    return cache.half
        ? Lanes.half(cache.bytes, place + 2L * i)
        : cache.bytes.get(RowMath.F32, place + 4L * i);
  }
}
