package dev.quern.cpu.kernel;

/**
 * Activations rounded to int8 for kernels over {@link Interleave interleaved} weights, {@code x ≈ d
 * · q} with one d to a block, made once for all projections that read them. It is on the heap: C2
 * checks the bounds of an array once a loop, of a segment each time.
 */
public final class Side {
  /** What is wanted. */
  public enum Form {
    /** Nothing. */
    NONE(32, 32, 0),
    /** One d to 32 activations. */
    PLAIN(32, 32, 0),
    /** For weights stored with 8 added, which have one scale to 32. */
    PLUS_8(32, 32, 8),
    /** For weights whose numbers are taken with 16 subtracted, which have one scale to 32. */
    PLUS_16(32, 32, 16),
    /** For weights stored with 32 added, which have one scale to 16. */
    PLUS_32(32, 16, 32),
    /** One d to 256 activations. */
    TERNARY(256, 256, 0);

    private final int block;
    private final int part;
    private final int offset;

    Form(int block, int part, int offset) {
      this.block = block;
      this.part = part;
      this.offset = offset;
    }

    /** Activations with one d. */
    public int block() {
      return block;
    }

    /** Activations with one start. */
    public int part() {
      return part;
    }

    /** What was added to the weights. */
    public int offset() {
      return offset;
    }
  }

  /**
   * Two int8 as shorts to an int, those of activations {@code 4i} and {@code 4i + 2}, then {@code
   * 4i + 1} and {@code 4i + 3}: what the two halves of a lane of four bytes meet.
   */
  public final int[] pairs;

  /**
   * What sums start from so that the offset of the weights is taken off: for each part, {@code
   * −offset · Σq} of what the lower, then the upper short meets. Sums may wrap in between, as long
   * as the last one fits.
   */
  public final int[] starts;

  /** Room for the numbers of a block of each vector. */
  final int[] rounded;

  /** The {@code d} of each block, then {@code −d · Σq}. */
  public final float[] numbers;

  /** Makes room for {@code vectors} vectors of {@code n} activations. */
  public Side(Form form, int vectors, long n) {
    boolean none = form == Form.NONE;
    int length = none ? 0 : Math.toIntExact(n);
    rounded = new int[none ? 0 : Math.multiplyExact(vectors, form.block)];
    pairs = new int[Math.multiplyExact(vectors, length / 2)];
    starts = new int[Math.multiplyExact(vectors, length / form.part)];
    numbers = new float[Math.multiplyExact(vectors, 2 * length / form.block)];
  }
}
