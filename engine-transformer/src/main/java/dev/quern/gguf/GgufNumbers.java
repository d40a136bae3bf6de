package dev.quern.gguf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An array of numbers or booleans, kept as the bytes of the file until asked for. */
public final class GgufNumbers implements GgufValue.Array {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);
  private static final VarHandle FLOATS = view(float[].class);
  private static final VarHandle DOUBLES = view(double[].class);

  private final GgufType elementType;
  private final byte[] wire;

  /** Takes ownership of {@code wire}, whose length is a multiple of the element's bytes. */
  GgufNumbers(GgufType elementType, byte[] wire) {
    this.elementType = elementType;
    this.wire = wire;
  }

  /** An array of {@link GgufType#INT32}. */
  public static GgufNumbers of(int... values) {
    ByteBuffer wire = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    wire.asIntBuffer().put(values);
    return new GgufNumbers(GgufType.INT32, wire.array());
  }

  /** An array of {@link GgufType#FLOAT32}. */
  public static GgufNumbers of(float... values) {
    ByteBuffer wire = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    wire.asFloatBuffer().put(values);
    return new GgufNumbers(GgufType.FLOAT32, wire.array());
  }

  @Override
  public GgufType elementType() {
    return elementType;
  }

  @Override
  public int size() {
    return wire.length / elementType.bytes();
  }

  /** Element {@code index} as a whole number; reals are truncated, true is 1. */
  public long getLong(int index) {
    int at = index * elementType.bytes();
    return switch (elementType) {
      case UINT8, BOOL -> wire[at] & 0xFFL;
      case INT8 -> wire[at];
      case UINT16 -> (short) SHORTS.get(wire, at) & 0xFFFFL;
      case INT16 -> (short) SHORTS.get(wire, at);
      case UINT32 -> (int) INTS.get(wire, at) & 0xFFFFFFFFL;
      case INT32 -> (int) INTS.get(wire, at);
      case UINT64, INT64 -> (long) LONGS.get(wire, at);
      case FLOAT32, FLOAT64 -> (long) getDouble(index);
      case STRING, ARRAY -> throw new IllegalStateException("not numbers: " + elementType);
    };
  }

  /** Element {@code index}, widened. */
  public double getDouble(int index) {
    int at = index * elementType.bytes();
    return switch (elementType) {
      case FLOAT32 -> (float) FLOATS.get(wire, at);
      case FLOAT64 -> (double) DOUBLES.get(wire, at);
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64, BOOL -> getLong(index);
      case STRING, ARRAY -> throw new IllegalStateException("not numbers: " + elementType);
    };
  }

  /** The bytes as stored, not a copy. */
  byte[] wire() {
    return wire;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof GgufNumbers that
        && elementType == that.elementType
        && Arrays.equals(wire, that.wire);
  }

  @Override
  public int hashCode() {
    return 31 * elementType.hashCode() + Arrays.hashCode(wire);
  }

  /** For example {@code [1, 3, 6, … 32000 int32]}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < Math.min(size(), 8); i++) {
      text.append(i == 0 ? "" : ", ");
      if (elementType.isReal()) {
        text.append(getDouble(i));
      } else {
        text.append(getLong(i));
      }
    }
    if (size() > 8) {
      text.append(", … ").append(size()).append(' ').append(elementType);
    }
    return text.append(']').toString();
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }
}
