package dev.quern.cpu.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The species that all kernels use, and loads that widen to it. Every kernel handles {@link #N}
 * elements at a time, 4, 8 or 16, whatever the width of the stored elements. The species must be
 * static constants: C2 boxes every vector of a species it does not know.
 */
final class Lanes {
  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> I = F.withLanes(int.class);

  /** Lanes of {@link #F}. */
  static final int N = F.length();

  /** Shorts of a whole vector, two to each lane of {@link #I}. */
  static final VectorSpecies<Short> SHORTS = F.withLanes(short.class);

  /** Eight or sixteen bytes; with four lanes bytes come from an int instead. */
  private static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * N)));

  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(16 * N));

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);

  /** 0, 8, 16, 24: where the bytes of an int start. */
  private static final IntVector BYTE_SHIFTS =
      IntVector.broadcast(I, 0).addIndex(8).and(IntVector.broadcast(I, 31));

  /** {@code 2^112}: moves the exponent of an f16, read as float32, to where it belongs. */
  private static final float HALF_BIAS = 0x1p112f;

  /** The class of segments off the heap, which segments mapped from a file extend. */
  private static final Class<? extends MemorySegment> OFF_HEAP =
      MemorySegment.ofAddress(0).getClass();

  private Lanes() {}

  /**
   * The same segment, of a class that C2 knows. Without this C2 goes by the profile of the vector
   * loads, which all code of a JVM shares: once there were loads from mapped segments and from
   * arrays too, loops over segments took up to three times as long.
   *
   * @throws ClassCastException if it is on the heap
   */
  static MemorySegment offHeap(MemorySegment segment) {
    return OFF_HEAP.cast(segment);
  }

  static FloatVector zero() {
    return FloatVector.zero(F);
  }

  static FloatVector splat(float value) {
    return FloatVector.broadcast(F, value);
  }

  static FloatVector f32(MemorySegment segment, long at) {
    return FloatVector.fromMemorySegment(F, offHeap(segment), at, LE);
  }

  static void store(FloatVector vector, MemorySegment segment, long at) {
    vector.intoMemorySegment(offHeap(segment), at, LE);
  }

  /** N bytes, zero-extended. */
  static IntVector u8(MemorySegment segment, long at) {
    if (N == 4) {
      return IntVector.broadcast(I, segment.get(INT, at))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .and(255);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, offHeap(segment), at, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /** N bytes, sign-extended. */
  static IntVector s8(MemorySegment segment, long at) {
    if (N == 4) {
      return IntVector.broadcast(I, segment.get(INT, at))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .lanewise(VectorOperators.LSHL, 24)
          .lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, offHeap(segment), at, LE)
            .convertShape(VectorOperators.B2I, I, 0);
  }

  /** N shorts, sign-extended. */
  static IntVector s16(MemorySegment segment, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(S, offHeap(segment), at, LE)
            .convertShape(VectorOperators.S2I, I, 0);
  }

  /** Ints, converted. */
  static FloatVector toFloat(IntVector ints) {
    return (FloatVector) ints.convertShape(VectorOperators.I2F, F, 0);
  }

  /**
   * N f16, widened exactly, but for infinities and NaN, which no weight holds: they come out as
   * 65536 and above.
   */
  static FloatVector f16(MemorySegment segment, long at) {
    return s16(segment, at)
        .lanewise(VectorOperators.LSHL, 13)
        .and(0x8FFFE000)
        .reinterpretAsFloats()
        .mul(HALF_BIAS);
  }

  /** N bf16, widened exactly. */
  static FloatVector bf16(MemorySegment segment, long at) {
    return s16(segment, at).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /** One f16. */
  static float half(MemorySegment segment, long at) {
    return Float.float16ToFloat(segment.get(SHORT, at));
  }

  /** One int. */
  static int int32(MemorySegment segment, long at) {
    return segment.get(INT, at);
  }

  static float sum(FloatVector vector) {
    return vector.reduceLanes(VectorOperators.ADD);
  }
}
