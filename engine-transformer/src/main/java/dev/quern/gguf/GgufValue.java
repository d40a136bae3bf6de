package dev.quern.gguf;

import java.util.List;

/** A metadata value. {@code toString} is for people: arrays are shortened. */
public sealed interface GgufValue {
  /** The type of the value as stored. */
  GgufType type();

  /**
   * A whole number.
   *
   * @param type one of the integer types
   * @param value the number; of {@link GgufType#UINT64} the 64 bits
   */
  record Whole(GgufType type, long value) implements GgufValue {
    @Override
    public String toString() {
      return type == GgufType.UINT64 ? Long.toUnsignedString(value) : Long.toString(value);
    }
  }

  /**
   * A floating-point number.
   *
   * @param type {@link GgufType#FLOAT32} or {@link GgufType#FLOAT64}
   * @param value the number, widened
   */
  record Real(GgufType type, double value) implements GgufValue {
    @Override
    public String toString() {
      return type == GgufType.FLOAT32 ? Float.toString((float) value) : Double.toString(value);
    }
  }

  /** True or false. */
  record Bool(boolean value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.BOOL;
    }

    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }

  /** A string. Bytes that are not UTF-8 were replaced by U+FFFD. */
  record Text(String value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.STRING;
    }

    @Override
    public String toString() {
      return value;
    }
  }

  /** An array whose elements the file describes. */
  sealed interface Array extends GgufValue permits GgufNumbers, GgufStrings, Nested {
    @Override
    default GgufType type() {
      return GgufType.ARRAY;
    }

    /** The type of the elements. */
    GgufType elementType();

    /** The number of elements. */
    int size();
  }

  /** An array of arrays. */
  record Nested(List<Array> values) implements Array {
    public Nested {
      values = List.copyOf(values);
    }

    @Override
    public GgufType elementType() {
      return GgufType.ARRAY;
    }

    @Override
    public int size() {
      return values.size();
    }
  }
}
