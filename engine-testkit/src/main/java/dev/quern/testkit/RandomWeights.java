package dev.quern.testkit;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Random stored weights of any format, made without knowing the format: blocks of random bytes are
 * kept if they decode to sane numbers. So a new format needs nothing here.
 *
 * <p>The largest absolute value of a block lies in [0.03, 3], or the block is all zero bytes;
 * blocks of ternary formats decode to at most one absolute value besides 0. A weight is drawn from
 * a pool of such blocks.
 */
public final class RandomWeights {
  private static final int BLOCKS = 61;
  private static final int NUMBERS = 1021;
  private static final int TRIES = 32;

  private final Map<WeightFormat, byte[][]> pools = new HashMap<>();

  /** Makes a maker that has made no blocks yet. */
  public RandomWeights() {}

  /**
   * The bytes of {@code elements} random weights.
   *
   * @throws IllegalStateException if no sane block is found among a million random ones
   */
  public MemorySegment make(
      Arena arena, WeightFormat format, long elements, RandomGenerator random) {
    byte[][] pool = pools.computeIfAbsent(format, f -> pool(f, Seeds.of("pool", f.name())));
    MemorySegment bytes = arena.allocate(format.bytes(elements), 64);
    // A weight that is nothing but the zero block would make trivial results.
    int first = bytes.byteSize() == format.blockBytes() ? 1 : 0;
    for (long at = 0; at < bytes.byteSize(); at += format.blockBytes()) {
      byte[] block = pool[random.nextInt(first, pool.length)];
      MemorySegment.copy(block, 0, bytes, ValueLayout.JAVA_BYTE, at, block.length);
    }
    return bytes;
  }

  /** The absolute values of stored weights, as F32: for sums of absolute products. */
  static MemorySegment absolute(Arena arena, WeightFormat format, MemorySegment bytes) {
    int elements = Math.toIntExact(bytes.byteSize() / format.blockBytes() * format.blockElements());
    float[] values = new float[elements];
    format.decode(bytes, 0, values, 0, elements);
    MemorySegment target = arena.allocate(WeightFormats.F32.bytes(elements), 64);
    for (int i = 0; i < elements; i++) {
      target.set(WeightFormat.F32_BITS, 4L * i, Math.abs(values[i]));
    }
    return target;
  }

  private static byte[][] pool(WeightFormat format, RandomGenerator random) {
    byte[][] pool = new byte[format.blockElements() == 1 ? NUMBERS : BLOCKS][];
    pool[0] = new byte[format.blockBytes()];
    for (int i = 1; i < pool.length; i++) {
      pool[i] = block(format, random);
    }
    return pool;
  }

  private static byte[] block(WeightFormat format, RandomGenerator random) {
    byte[] block = new byte[format.blockBytes()];
    for (int attempt = 0; attempt < 1_000_000; attempt++) {
      random.nextBytes(block);
      if (sane(decode(format, block))
          && (format.product() != WeightFormat.Product.TERNARY
              || makeTernary(format, block, random))) {
        return block;
      }
    }
    throw new IllegalStateException(
        "random weights: a block of %s must decode to sane numbers but none does"
            .formatted(format.name()));
  }

  /**
   * Draws bytes anew until no element exceeds the scale: one of the codes of two bits is unused.
   */
  private static boolean makeTernary(WeightFormat format, byte[] block, RandomGenerator random) {
    int excess = excess(decode(format, block));
    for (int i = 0; i < block.length && excess > 0; i++) {
      for (int t = 0; t < TRIES && excess > 0; t++) {
        byte before = block[i];
        block[i] = (byte) random.nextInt(256);
        int changed = excess(decode(format, block));
        if (changed < excess) {
          excess = changed;
        } else {
          block[i] = before;
        }
      }
    }
    float[] values = decode(format, block);
    return excess(values) == 0 && sane(values);
  }

  /** How many elements exceed the smallest absolute value besides 0. */
  private static int excess(float[] values) {
    float smallest = Float.POSITIVE_INFINITY;
    for (float value : values) {
      smallest = value == 0 ? smallest : Math.min(smallest, Math.abs(value));
    }
    int count = 0;
    for (float value : values) {
      count += Math.abs(value) > smallest ? 1 : 0;
    }
    return count;
  }

  private static boolean sane(float[] values) {
    float largest = 0;
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
      largest = Math.max(largest, Math.abs(value));
    }
    return largest >= 0.03f && largest <= 3;
  }

  private static float[] decode(WeightFormat format, byte[] block) {
    float[] values = new float[format.blockElements()];
    format.decode(MemorySegment.ofArray(block), 0, values, 0);
    return values;
  }
}
