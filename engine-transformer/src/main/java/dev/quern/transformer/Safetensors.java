package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Tensors of a <a href="https://github.com/huggingface/safetensors">safetensors</a> file, copied
 * into memory: 8 bytes length of a header, the header as JSON, and the bytes it points into.
 *
 * @param weights in the order of the file
 * @param arena holds them
 */
record Safetensors(List<ModelSource.Weight> weights, Arena arena) implements AutoCloseable {
  private static final long MAX_HEADER = 100_000_000;
  private static final int LENGTH_BYTES = 8;

  static Safetensors read(Path file) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        Arena mapping = Arena.ofConfined()) {
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), mapping);
      return new Safetensors(List.copyOf(weights(file, bytes, arena)), arena);
    } catch (RuntimeException | IOException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static List<ModelSource.Weight> weights(Path file, MemorySegment bytes, Arena arena) {
    long length = bytes.byteSize() < LENGTH_BYTES ? -1 : header(bytes);
    if (length < 2 || length > Math.min(MAX_HEADER, bytes.byteSize() - LENGTH_BYTES)) {
      throw new ModelException(
          "%s: header at byte 0 must have a length that fits the file of %d bytes but has %d"
              .formatted(file, bytes.byteSize(), length));
    }
    byte[] json = new byte[(int) length];
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, LENGTH_BYTES, json, 0, json.length);
    MemorySegment data = bytes.asSlice(LENGTH_BYTES + length);
    List<ModelSource.Weight> weights = new ArrayList<>();
    MiniJson.object(file.toString(), new String(json, StandardCharsets.UTF_8))
        .forEach((name, value) -> {
          if (!name.equals("__metadata__")) {
            weights.add(weight(file, name, value, data, arena));
          }
        });
    return weights;
  }

  private static long header(MemorySegment bytes) {
    ByteBuffer first = bytes.asSlice(0, LENGTH_BYTES).asByteBuffer();
    return first.order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private static ModelSource.Weight weight(
      Path file, String name, Object value, MemorySegment data, Arena arena) {
    if (!(value instanceof Map<?, ?> entry
        && entry.get("dtype") instanceof String type
        && entry.get("shape") instanceof List<?> shape
        && entry.get("data_offsets") instanceof List<?> offsets
        && offsets.size() == 2)) {
      throw new ModelException(
          "%s: tensor %s must have dtype, shape and data_offsets but is %s"
              .formatted(file, name, value));
    }
    WeightFormat format =
        WeightFormats.byName(type)
            .filter(known -> known.product() == WeightFormat.Product.DENSE)
            .orElseThrow(() ->
                new ModelException(
                    "%s: dtype of %s must be F32, F16 or BF16 but is %s"
                        .formatted(file, name, type)));
    Shape extents = new Shape(shape.stream().map(extent -> whole(file, name, extent)).toList());
    long from = whole(file, name, offsets.get(0));
    long to = whole(file, name, offsets.get(1));
    if (from < 0 || to > data.byteSize() || to - from != format.bytes(extents.elements())) {
      throw new ModelException(
          "%s: bytes of %s must be %d in a file of %d but are %d to %d"
              .formatted(file, name, format.bytes(extents.elements()), data.byteSize(), from, to));
    }
    MemorySegment copy = arena.allocate(to - from, 64).copyFrom(data.asSlice(from, to - from));
    return new ModelSource.Weight(name, extents, format, copy);
  }

  private static long whole(Path file, String name, Object value) {
    if (value instanceof Double number
        && number >= 0
        && number == Math.rint(number)
        && number < 1L << 53) {
      return number.longValue();
    }
    throw new ModelException(
        "%s: extents and offsets of %s must be whole numbers but one is %s"
            .formatted(file, name, value));
  }

  @Override
  public void close() {
    arena.close();
  }
}
