package dev.quern.cpu.vector;

import static dev.quern.cpu.vector.Lanes.N;
import static dev.quern.cpu.vector.Lanes.splat;
import static dev.quern.cpu.vector.Lanes.zero;

import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** Attention over f16 or float32 caches, widened in registers. */
final class VectorAttention implements AttentionMath {
  @Override
  public void scores(
      Cache cache, MemorySegment q, long qAt, float scale, MemorySegment scores, long at) {
    for (int j = 0; j < cache.positions; j++) {
      long key = cache.at + j * cache.stride;
      float sum =
          cache.half
              ? F16Dot.dot(cache.bytes, key, q, qAt, cache.size)
              : F32Dot.dot(cache.bytes, key, q, qAt, cache.size);
      scores.set(RowMath.F32, at + 4L * j, scale * sum);
    }
  }

  @Override
  public void weighted(
      Cache cache, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    int i = 0;
    for (; i <= cache.size - 4 * N; i += 4 * N) {
      four(cache, i, weights, at, factor, y, yAt);
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

  private static void four(
      Cache cache, int i, MemorySegment weights, long at, float factor, MemorySegment y, long yAt) {
    FloatVector a = zero();
    FloatVector b = zero();
    FloatVector c = zero();
    FloatVector d = zero();
    for (int j = 0; j < cache.positions; j++) {
      FloatVector p = splat(weights.get(RowMath.F32, at + 4L * j));
      a = load(cache, j, i).fma(p, a);
      b = load(cache, j, i + N).fma(p, b);
      c = load(cache, j, i + 2 * N).fma(p, c);
      d = load(cache, j, i + 3 * N).fma(p, d);
    }
    Lanes.store(a.mul(factor), y, yAt + 4L * i);
    Lanes.store(b.mul(factor), y, yAt + 4L * (i + N));
    Lanes.store(c.mul(factor), y, yAt + 4L * (i + 2 * N));
    Lanes.store(d.mul(factor), y, yAt + 4L * (i + 3 * N));
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
