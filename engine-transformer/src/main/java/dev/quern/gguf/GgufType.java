package dev.quern.gguf;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The types of metadata values. */
public enum GgufType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  STRING(8, 0),
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  private final int id;
  private final int bytes;

  GgufType(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** The id in files. */
  int id() {
    return id;
  }

  /** Bytes of one value; 0 for {@link #STRING} and {@link #ARRAY}, whose length varies. */
  public int bytes() {
    return bytes;
  }

  /** True for the floating-point types. */
  public boolean isReal() {
    return this == FLOAT32 || this == FLOAT64;
  }

  static Optional<GgufType> byId(int id) {
    return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
  }

  /** For example {@code uint32}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
