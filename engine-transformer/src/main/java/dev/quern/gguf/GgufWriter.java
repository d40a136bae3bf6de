package dev.quern.gguf;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes version 3, little-endian, the tensors in the order given. */
public final class GgufWriter {
  private static final int COPY_BYTES = 1 << 16;

  private final OutputStream out;
  private final int alignment;
  private long written;

  private GgufWriter(OutputStream out, int alignment) {
    this.out = out;
    this.alignment = alignment;
  }

  /** Produces the bytes of a tensor when its turn comes, so that not all need be in memory. */
  @FunctionalInterface
  public interface Content {
    /** Writes exactly the bytes of the tensor; {@code out} stays open. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * A tensor to write.
   *
   * @param shape extents with the slowest dimension first, as everywhere but in the file
   * @param format how the bytes are stored
   * @param content writes the bytes of that shape in that format
   */
  public record Source(String name, Shape shape, WeightFormat format, Content content) {
    /** A tensor whose bytes are in memory. */
    public Source(String name, Shape shape, WeightFormat format, MemorySegment data) {
      this(name, shape, format, out -> copy(data, out));
      if (data.byteSize() != bytes()) {
        throw new IllegalArgumentException(
            "tensor %s: data must be %d bytes but is %d".formatted(this, bytes(), data.byteSize()));
      }
    }

    /** The number of bytes. */
    public long bytes() {
      return format.bytes(shape.elements());
    }

    /** For example {@code blk.0.ffn_up.weight[768, 256]:Q4_K}. */
    @Override
    public String toString() {
      return name + shape + ":" + format.name();
    }

    private static void copy(MemorySegment data, OutputStream out) throws IOException {
      byte[] chunk = new byte[COPY_BYTES];
      for (long at = 0; at < data.byteSize(); at += chunk.length) {
        int count = (int) Math.min(chunk.length, data.byteSize() - at);
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, chunk, 0, count);
        out.write(chunk, 0, count);
      }
    }
  }

  /**
   * Writes a file, replacing one that is there.
   *
   * @throws IOException if it cannot be written
   */
  public static void write(Path path, GgufMetadata metadata, List<Source> tensors)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(path)) {
      write(out, metadata, tensors);
    }
  }

  /**
   * Writes to a stream, which is flushed and left open.
   *
   * @throws IOException if it cannot be written
   */
  public static void write(OutputStream out, GgufMetadata metadata, List<Source> tensors)
      throws IOException {
    int alignment = metadata.findInt(GgufReader.ALIGNMENT_KEY).orElse(GgufReader.DEFAULT_ALIGNMENT);
    BufferedOutputStream buffered = new BufferedOutputStream(out, COPY_BYTES);
    new GgufWriter(buffered, alignment).write(metadata, tensors);
    buffered.flush();
  }

  private void write(GgufMetadata metadata, List<Source> tensors) throws IOException {
    putInt(GgufReader.MAGIC);
    putInt(3);
    putLong(tensors.size());
    putLong(metadata.values().size());
    for (Map.Entry<String, GgufValue> pair : metadata.values().entrySet()) {
      putString(pair.getKey());
      putInt(pair.getValue().type().id());
      putValue(pair.getValue());
    }
    long offset = 0;
    for (Source tensor : tensors) {
      putString(tensor.name());
      putInt(tensor.shape().rank());
      for (long extent : tensor.shape().dimensions().reversed()) {
        putLong(extent);
      }
      putInt(tensor.format().ggufId());
      putLong(offset);
      offset = Math.ceilDiv(offset + tensor.bytes(), alignment) * alignment;
    }
    for (Source tensor : tensors) {
      pad();
      putContent(tensor);
    }
    pad();
  }

  private void putValue(GgufValue value) throws IOException {
    switch (value) {
      case GgufValue.Bool bool -> put(new byte[] {(byte) (bool.value() ? 1 : 0)});
      case GgufValue.Text text -> putString(text.value());
      case GgufValue.Whole whole -> putWhole(whole);
      case GgufValue.Real real -> {
        if (real.type() == GgufType.FLOAT32) {
          putInt(Float.floatToRawIntBits((float) real.value()));
        } else {
          putLong(Double.doubleToRawLongBits(real.value()));
        }
      }
      case GgufValue.Array array -> putArray(array);
    }
  }

  private void putWhole(GgufValue.Whole whole) throws IOException {
    byte[] eight = little(Long.BYTES).putLong(whole.value()).array();
    out.write(eight, 0, whole.type().bytes());
    written += whole.type().bytes();
  }

  private void putArray(GgufValue.Array array) throws IOException {
    putInt(array.elementType().id());
    putLong(array.size());
    switch (array) {
      case GgufNumbers numbers -> put(numbers.wire());
      case GgufStrings strings -> put(strings.wire());
      case GgufValue.Nested nested -> {
        for (GgufValue.Array element : nested.values()) {
          putArray(element);
        }
      }
    }
  }

  private void putString(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    putLong(bytes.length);
    put(bytes);
  }

  private void putInt(int value) throws IOException {
    put(little(Integer.BYTES).putInt(value).array());
  }

  private void putLong(long value) throws IOException {
    put(little(Long.BYTES).putLong(value).array());
  }

  private void putContent(Source tensor) throws IOException {
    long before = written;
    tensor.content().writeTo(new Counted());
    if (written - before != tensor.bytes()) {
      throw new IllegalStateException(
          "tensor %s: content must be %d bytes but is %d"
              .formatted(tensor, tensor.bytes(), written - before));
    }
  }

  private void pad() throws IOException {
    put(new byte[(int) (Math.ceilDiv(written, alignment) * alignment - written)]);
  }

  private void put(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What contents are written to. */
  private final class Counted extends OutputStream {
    @Override
    public void write(int value) throws IOException {
      out.write(value);
      written++;
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      out.write(bytes, from, count);
      written += count;
    }
  }
}
