package dev.quern.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Operations on one row of float32 numbers. Operands are a segment and the byte offset of the first
 * element.
 */
public interface RowMath {
  /** Little-endian float32 at any address. */
  ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Little-endian int32 at any address. */
  ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Little-endian int16 at any address. */
  ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** {@code y = a + b}. */
  void add(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n);

  /** {@code y = a · b}. */
  void mul(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n);

  /** {@code y = a + b} with one number b. */
  void addScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n);

  /** {@code y = a · b} with one number b. */
  void mulScalar(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n);

  /** {@code y += b · a}. */
  void addScaled(MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n);

  /** {@code y = x / (1 + e⁻ˣ)}. */
  void swish(MemorySegment x, long xAt, MemorySegment y, long yAt, int n);

  /** {@code y = x / (1 + e⁻²ᵘ)} with {@code u = √(2/π) · (x + 0.044715·x³)}. */
  void gelu(MemorySegment x, long xAt, MemorySegment y, long yAt, int n);

  /** One element of {@link #gelu(MemorySegment, long, MemorySegment, long, int)}. */
  static float gelu(double x) {
    return (float) (x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));
  }

  /** {@code y = cap · tanh(x / cap)}. */
  void softCap(MemorySegment x, long xAt, float cap, MemorySegment y, long yAt, int n);

  /** {@code y = min(max(x, low), high)}. */
  void clamp(MemorySegment x, long xAt, float low, float high, MemorySegment y, long yAt, int n);

  /** {@code Σ xᵢ²}. */
  float squares(MemorySegment x, long xAt, int n);

  /** {@code y = x · factor · w}. */
  void scaleBy(
      MemorySegment x,
      long xAt,
      float factor,
      MemorySegment w,
      long wAt,
      MemorySegment y,
      long yAt,
      int n);

  /** The largest element. */
  float max(MemorySegment x, long xAt, int n);

  /** The largest magnitude. */
  float largest(MemorySegment x, long xAt, int n);

  /** {@code y = rint(factor · x)}, ties to even, for results below 2²². */
  void round(MemorySegment x, long xAt, float factor, int[] y, int yAt, int n);

  /** {@code y = e^(x − max)}; returns the sum of y. */
  float exponentials(MemorySegment x, long xAt, float max, MemorySegment y, long yAt, int n);

  /** Rotates {@code (u, v)}, n pairs, by cosines and sines that alternate in the table. */
  void rotateHalves(
      MemorySegment x,
      long xAt,
      MemorySegment table,
      long tableAt,
      MemorySegment y,
      long yAt,
      int pairs);

  /** Rounds to f16, to nearest even. */
  void toHalf(MemorySegment x, long xAt, MemorySegment y, long yAt, int n);
}
