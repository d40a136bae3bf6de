package dev.quern.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/**
 * An array of strings, kept as the bytes of the file: a string is made when it is asked for, since
 * a vocabulary has hundreds of thousands of which few are looked at.
 */
public final class GgufStrings extends AbstractList<String>
    implements GgufValue.Array, RandomAccess {
  private static final int PREFIX = Long.BYTES;

  private final byte[] wire;
  private final int[] starts;

  /**
   * Takes ownership of both.
   *
   * @param wire the elements as stored: each a length of 8 bytes, then its bytes
   * @param starts where the bytes of each string begin, then {@code wire.length + 8}
   */
  GgufStrings(byte[] wire, int[] starts) {
    this.wire = wire;
    this.starts = starts;
  }

  /** The same strings, encoded. */
  public static GgufStrings of(List<String> strings) {
    List<byte[]> encoded = new ArrayList<>(strings.size());
    int total = 0;
    for (String string : strings) {
      byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
      encoded.add(bytes);
      total = Math.addExact(total, PREFIX + bytes.length);
    }
    ByteBuffer wire = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    int[] starts = new int[encoded.size() + 1];
    for (int i = 0; i < encoded.size(); i++) {
      wire.putLong(encoded.get(i).length);
      starts[i] = wire.position();
      wire.put(encoded.get(i));
    }
    starts[encoded.size()] = total + PREFIX;
    return new GgufStrings(wire.array(), starts);
  }

  @Override
  public GgufType elementType() {
    return GgufType.STRING;
  }

  @Override
  public int size() {
    return starts.length - 1;
  }

  /** String {@code index}. Bytes that are not UTF-8 are replaced by U+FFFD. */
  @Override
  public String get(int index) {
    return new String(wire, starts[index], length(index), StandardCharsets.UTF_8);
  }

  /** The bytes of string {@code index} as stored. */
  public byte[] utf8(int index) {
    return Arrays.copyOfRange(wire, starts[index], starts[index] + length(index));
  }

  /** The bytes as stored, with the lengths; not a copy. */
  byte[] wire() {
    return wire;
  }

  /** For example {@code [!, ", #, … 32000 string]}. */
  @Override
  public String toString() {
    String first = String.join(", ", subList(0, Math.min(size(), 8)));
    return size() > 8 ? "[" + first + ", … " + size() + " string]" : "[" + first + "]";
  }

  private int length(int index) {
    return starts[index + 1] - PREFIX - starts[index];
  }
}
