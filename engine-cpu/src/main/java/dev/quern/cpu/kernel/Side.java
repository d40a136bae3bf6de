package dev.quern.cpu.kernel;

/**
 * What some kernels want of activations besides their values, made once for all projections that
 * read them. It is on the heap: C2 checks the bounds of an array once a loop, of a segment each
 * time.
 */
public final class Side {
  /** What is wanted. */
  public enum Form {
    /** Nothing. */
    NONE(0, 0),
    /**
     * For each block of 256, eight zeros and eight negated sums of 32 activations, which meet the
     * minima of K-quants.
     */
    SUMS(0, 16),
    /**
     * Int8 for the nibbles of Q4_K: {@code x ≈ d · q} with one d to 32 activations. Numbers: eight
     * d, then eight {@code −d · Σq}.
     */
    Q4_K(256, 16),
    /**
     * Int8 for the 6-bit numbers of Q6_K. Numbers: one d to 16 activations, equal in pairs, then
     * {@code −32 · Σq} of 16.
     */
    Q6_K(256, 32),
    /** Int8 for codes of two bits. Numbers: d of all 256, then {@code −d · Σq}. */
    TERNARY(256, 2),
    /**
     * Int8 for the nibbles of Q4_0, where 64 bytes of weights hold three blocks and their scales.
     * For each 64 bytes: four planes of 32 shorts; 16 times d, 16 times what the offset of 8 adds.
     */
    Q4_0(0, 0) {
      @Override
      public int quantised(long n) {
        return Math.toIntExact(128 * vectors(n));
      }

      @Override
      public int numbers(long n) {
        return Math.toIntExact(32 * vectors(n));
      }
    };

    private final int quantised;
    private final int numbers;

    Form(int quantised, int numbers) {
      this.quantised = quantised;
      this.numbers = numbers;
    }

    /** How many loads of 64 bytes, 54 bytes apart, cover {@code n} weights of Q4_0. */
    public static long vectors(long n) {
      return (n / 32 - 1) / 3 + 1;
    }

    /** Int8 activations, held as shorts, of {@code n} activations. */
    public int quantised(long n) {
      return Math.toIntExact(n / 256 * quantised);
    }

    /** Numbers beside {@code n} activations. */
    public int numbers(long n) {
      return Math.toIntExact(n / 256 * numbers);
    }
  }

  /** The activations as integers, in the order in which a kernel meets them. */
  public final short[] quantised;

  /** Numbers of blocks. */
  public final float[] numbers;

  /** Makes room for {@code vectors} vectors of {@code n} activations. */
  public Side(Form form, int vectors, long n) {
    quantised = new short[Math.multiplyExact(vectors, form.quantised(n))];
    numbers = new float[Math.multiplyExact(vectors, form.numbers(n))];
  }
}
