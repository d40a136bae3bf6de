package dev.quern.cli;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random weights made directly as stored: random bytes, with the scales of each block set so that
 * the weights have mean about 0 and a standard deviation of {@code 1/√columns}, which keeps
 * activations and logits of order 1 through any number of layers.
 */
final class RandomWeights {
  private static final long ALIGNMENT = 64;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private RandomWeights() {}

  /** Makes a block of random bytes valid, given its scale as f16 bits. */
  private interface Patch {
    void apply(MemorySegment data, long block, short scale);
  }

  /**
   * How a format is filled.
   *
   * @param deviation standard deviation of the weights of random blocks whose scale is 1
   */
  private record Blocks(double deviation, Patch patch) {}

  private static final Map<String, Blocks> BLOCKS =
      Map.of(
          "Q4_0", new Blocks(4.6, (data, block, d) -> setHalf(data, block, d)),
          "Q8_0", new Blocks(73.9, (data, block, d) -> setHalf(data, block, d)),
          "Q4_K", new Blocks(168, RandomWeights::patchQ4K),
          "Q6_K", new Blocks(171, RandomWeights::patchQ6K),
          "TQ2_0", new Blocks(0.707, RandomWeights::patchTq2));

  /** A matrix, or a stack of them. */
  static MemorySegment matrix(Arena arena, WeightFormat format, Shape shape, long seed) {
    MemorySegment data = arena.allocate(format.bytes(shape.elements()), ALIGNMENT);
    SplittableRandom random = new SplittableRandom(seed);
    double deviation = 1 / Math.sqrt((double) shape.last());
    if (format.equals(WeightFormats.F16)) {
      fillHalves(data, random, deviation);
      return data;
    }
    Blocks blocks = BLOCKS.get(format.name());
    if (blocks == null) {
      throw new IllegalArgumentException("random weights: no recipe for " + format.name());
    }
    fillBytes(data, random);
    short scale = Float.floatToFloat16((float) (deviation / blocks.deviation()));
    for (long block = 0; block < data.byteSize(); block += format.blockBytes()) {
      blocks.patch().apply(data, block, scale);
    }
    return data;
  }

  /** The factors of a norm: near 1. */
  static MemorySegment norm(Arena arena, long size, long seed) {
    MemorySegment data = arena.allocate(Float.BYTES * size, ALIGNMENT);
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i < size; i++) {
      data.set(WeightFormat.F32_BITS, Float.BYTES * i, (float) random.nextDouble(0.9, 1.1));
    }
    return data;
  }

  private static void fillBytes(MemorySegment data, SplittableRandom random) {
    long whole = data.byteSize() / Long.BYTES * Long.BYTES;
    for (long at = 0; at < whole; at += Long.BYTES) {
      data.set(LONG, at, random.nextLong());
    }
    for (long at = whole; at < data.byteSize(); at++) {
      data.set(BYTE, at, (byte) random.nextInt());
    }
  }

  /** Uniform between ±√3 standard deviations. */
  private static void fillHalves(MemorySegment data, SplittableRandom random, double deviation) {
    float unit = (float) (deviation * Math.sqrt(3) / (1 << 15));
    long count = data.byteSize() / Short.BYTES;
    long bits = 0;
    for (long i = 0; i < count; i++) {
      bits = i % 4 == 0 ? random.nextLong() : bits >>> Short.SIZE;
      setHalf(data, Short.BYTES * i, Float.floatToFloat16((short) bits * unit));
    }
  }

  private static void setHalf(MemorySegment data, long at, short bits) {
    data.set(WeightFormat.F16_BITS, at, bits);
  }

  /** Minima equal to the scales and {@code dmin = 7.5·d}: nibbles are then centred. */
  private static void patchQ4K(MemorySegment data, long block, short d) {
    setHalf(data, block, d);
    setHalf(data, block + 2, Float.floatToFloat16(7.5f * Float.float16ToFloat(d)));
    for (int j = 0; j < 4; j++) {
      data.set(BYTE, block + 8 + j, data.get(BYTE, block + 4 + j));
      int low = data.get(BYTE, block + 12 + j) & 15;
      data.set(BYTE, block + 12 + j, (byte) (low << 4 | low));
    }
  }

  /** Scales of a sixteenth of their range, so that {@code d} is no subnormal f16. */
  private static void patchQ6K(MemorySegment data, long block, short d) {
    for (int j = 0; j < 16; j++) {
      data.set(BYTE, block + 192 + j, (byte) (data.get(BYTE, block + 192 + j) >> 3));
    }
    setHalf(data, block + 208, d);
  }

  /** There is no code 3: it becomes 1. */
  private static void patchTq2(MemorySegment data, long block, short d) {
    for (long at = block; at < block + 64; at += Long.BYTES) {
      long codes = data.get(LONG, at);
      long threes = codes & (codes >>> 1) & 0x5555_5555_5555_5555L;
      data.set(LONG, at, codes & ~(threes << 1));
    }
    setHalf(data, block + 64, d);
  }
}
