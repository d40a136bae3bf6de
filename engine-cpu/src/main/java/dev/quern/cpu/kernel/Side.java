package dev.quern.cpu.kernel;

/**
 * Activations rounded to int8 for kernels over {@link Interleave interleaved} weights, {@code x ≈ d
 * · q} with one d to a block, made once for all projections that read them. It is on the heap: C2
 * checks the bounds of an array once a loop, of a segment each time.
 *
 * <p>A short of weights holds several numbers, {@code n₀ + 2^s₁ · n₁ + …}, and sums are taken
 * modulo 2^16. So a number need not be cut out to be multiplied: {@code Σ nᵢ·yᵢ = Σ (short >> sᵢ) ·
 * (yᵢ − 2^(sᵢ − sᵢ₋₁) · yᵢ₋₁)}: what is above a number is taken off by the next factor. Sums may
 * wrap in between, as long as the last one fits a short.
 */
public final class Side {
  /** What is wanted: which numbers the shorts of weights hold. */
  public enum Form {
    /** Nothing. */
    NONE(32, 0, 0, 0),
    /** Two of 8 bits, signed; factors are the activations themselves. */
    BYTES(32, 32, 0, 8),
    /** Four of 4 bits, taken with 8 subtracted. */
    NIBBLES(32, 32, 1, 4),
    /** Three of 5 bits and a bit of the last of sixteen, taken with 16 subtracted. */
    FIVES(32, 40, 3, 5),
    /** Two of 6 bits and two bits of each of the last two of eight, with 32 subtracted. */
    SIXES(32, 48, 6, 6),
    /** Eight of 2 bits; one d to 256 activations. */
    TERNARY(256, 32, 0, 2);

    private final int block;
    private final int factors;
    private final int starts;
    private final int shift;

    Form(int block, int factors, int starts, int shift) {
      this.block = block;
      this.factors = factors;
      this.starts = starts;
      this.shift = shift;
    }

    /** Activations with one d. */
    public int block() {
      return block;
    }

    /** Factors of {@code n} activations, whole blocks. */
    public int factors(int n) {
      return Math.multiplyExact(n / 32, factors);
    }

    /** Starts of {@code n} activations, whole blocks. */
    public int starts(int n) {
      return n / 32 * starts;
    }
  }

  /**
   * Distance of the numbers in a short. A variable on purpose: C2 repeats the instruction that
   * makes a constant count of a shift of shorts before each shift.
   */
  public final int shift;

  /**
   * The factors, short of weights by short of weights. Each is a short that fills both halves of an
   * int: processors broadcast an int as they load it, a short after it.
   */
  public final int[] factors;

  /**
   * What is added to sums so that what was added to the weights is taken off: NIBBLES, one to 32
   * activations; FIVES, for the first four shorts of 32 activations, the next four, the last two;
   * SIXES, for every two shorts.
   */
  public final short[] starts;

  /** Room for the numbers of a block of each vector. */
  final int[] rounded;

  /** The {@code d} of each block, then {@code −d · Σq}. */
  public final float[] numbers;

  /** Makes room for {@code vectors} vectors of {@code n} activations. */
  public Side(Form form, int vectors, long n) {
    int length = form == Form.NONE ? 0 : Math.toIntExact(n);
    shift = form.shift;
    rounded = new int[Math.multiplyExact(vectors, length == 0 ? 0 : form.block)];
    factors = new int[Math.multiplyExact(vectors, form.factors(length))];
    starts = new short[Math.multiplyExact(vectors, form.starts(length))];
    numbers = new float[Math.multiplyExact(vectors, 2 * length / form.block)];
  }
}
