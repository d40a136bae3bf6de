package dev.quern.gguf;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Parses and checks a file. What a file says is bounded before anything is allocated for it, so a
 * hostile one costs at most a small multiple of its own metadata, and never more than the limits.
 */
final class GgufReader {
  static final String ALIGNMENT_KEY = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MAGIC = 0x46554747; // "GGUF"

  /** Metadata and tensor descriptions together; the largest vocabularies need some 20 MiB. */
  private static final long MAX_HEADER = 128L << 20;

  private static final int MAX_PAIRS = 65_536;
  private static final int MAX_TENSORS = 262_144;
  private static final int MAX_KEY = 65_535;
  private static final int MAX_NAME = 64;
  private static final int MAX_DIMENSIONS = 4;
  private static final int MAX_NESTING = 4;
  private static final int MAX_NESTED_ARRAYS = 65_536;
  private static final int MAX_ALIGNMENT = 1 << 20;
  private static final int PAIR_BYTES = 8 + 4 + 1;
  private static final int TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;

  private final String source;
  private final MemorySegment file;
  private final Cursor in;
  private int nestedArrays;

  private GgufReader(String source, MemorySegment file) {
    this.source = source;
    this.file = file;
    this.in = new Cursor(source, file, MAX_HEADER);
  }

  /** What a file says. */
  record Contents(
      int version,
      GgufMetadata metadata,
      int alignment,
      long dataOffset,
      List<GgufTensor> tensors) {}

  /** What a tensor says of itself; {@code at} is where it says so. */
  private record Described(
      long at, String name, List<Long> dimensions, TensorType type, long offset, long bytes) {}

  static Contents read(String source, MemorySegment file) {
    return new GgufReader(source, file).read();
  }

  private Contents read() {
    int version = header();
    int tensorCount = in.getCount(TENSOR_BYTES, MAX_TENSORS, "number of tensors");
    int pairCount = in.getCount(PAIR_BYTES, MAX_PAIRS, "number of metadata pairs");
    GgufMetadata metadata = new GgufMetadata(source, pairs(pairCount));
    int alignment = alignment(metadata);
    List<Described> described = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (int i = 0; i < tensorCount; i++) {
      Described tensor = tensor(i, alignment);
      if (!names.add(tensor.name())) {
        throw in.problem(
            tensor.at(), "tensor names must be unique but %s comes twice".formatted(tensor.name()));
      }
      described.add(tensor);
    }
    long dataOffset = (in.at() + alignment - 1) / alignment * alignment;
    return new Contents(version, metadata, alignment, dataOffset, locate(described, dataOffset));
  }

  private int header() {
    int magic = in.getInt("magic");
    if (magic != MAGIC) {
      throw in.problem(
          0, "a GGUF file must begin with \"GGUF\" but begins with 0x%08x".formatted(magic));
    }
    int version = in.getInt("version");
    if (version != 2 && version != 3) {
      String remedy =
          (version & 0xFFFF) == 0 ? "; the file is big-endian, convert it" : "; convert it anew";
      throw in.problem(
          4, "version must be 2 or 3 but is " + Integer.toUnsignedString(version) + remedy);
    }
    return version;
  }

  private Map<String, GgufValue> pairs(int count) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      long start = in.at();
      String key = in.getString(MAX_KEY, "metadata key " + i);
      if (values.containsKey(key)) {
        throw in.problem(start, "metadata keys must be unique but %s comes twice".formatted(key));
      }
      values.put(key, value(type(key), key));
    }
    return values;
  }

  private GgufType type(String key) {
    long start = in.at();
    int id = in.getInt("type of metadata " + key);
    return GgufType.byId(id)
        .orElseThrow(() ->
            in.problem(
                start,
                "type of metadata %s must be 0 to 12 but is %s"
                    .formatted(key, Integer.toUnsignedString(id))));
  }

  private GgufValue value(GgufType type, String key) {
    String what = "metadata " + key;
    if (type == GgufType.STRING) {
      return new GgufValue.Text(in.getString(MAX_HEADER, what));
    }
    if (type == GgufType.ARRAY) {
      return array(what, 1);
    }
    GgufNumbers one = new GgufNumbers(type, in.getBytes(type.bytes(), what));
    if (type == GgufType.BOOL) {
      long value = one.getLong(0);
      if (value > 1) {
        throw in.problem(in.at() - 1, "%s must be 0 or 1 but is %d".formatted(what, value));
      }
      return new GgufValue.Bool(value == 1);
    }
    return type.isReal()
        ? new GgufValue.Real(type, one.getDouble(0))
        : new GgufValue.Whole(type, one.getLong(0));
  }

  private GgufValue.Array array(String what, int depth) {
    GgufType element = type(what);
    return switch (element) {
      case STRING -> in.getStrings(in.getCount(8, MAX_HEADER, "length of " + what), what);
      case ARRAY -> nested(what, depth);
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, UINT64, INT64, FLOAT64 -> {
        long count = in.getCount(element.bytes(), MAX_HEADER, "length of " + what);
        yield new GgufNumbers(element, in.getBytes(count * element.bytes(), what));
      }
    };
  }

  private GgufValue.Nested nested(String what, int depth) {
    if (depth == MAX_NESTING) {
      throw in.problem(
          in.at(), "%s must be nested at most %d deep but is deeper".formatted(what, MAX_NESTING));
    }
    int count = in.getCount(12, MAX_NESTED_ARRAYS - nestedArrays, "length of " + what);
    nestedArrays += count;
    List<GgufValue.Array> arrays = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      arrays.add(array(what, depth + 1));
    }
    return new GgufValue.Nested(arrays);
  }

  private static int alignment(GgufMetadata metadata) {
    OptionalInt alignment = metadata.findInt(ALIGNMENT_KEY);
    if (alignment.isEmpty()) {
      return DEFAULT_ALIGNMENT;
    }
    int value = alignment.getAsInt();
    if (value < 1 || value > MAX_ALIGNMENT || Integer.bitCount(value) != 1) {
      throw metadata.problem(
          ALIGNMENT_KEY,
          "must be a power of two up to %d but is %d".formatted(MAX_ALIGNMENT, value));
    }
    return value;
  }

  private Described tensor(int index, int alignment) {
    long start = in.at();
    String name = in.getString(MAX_NAME, "name of tensor " + index);
    int rank = in.getInt("number of dimensions of tensor " + name);
    if (rank < 1 || rank > MAX_DIMENSIONS) {
      throw in.problem(
          start,
          "tensor %s must have 1 to %d dimensions but has %s"
              .formatted(name, MAX_DIMENSIONS, Integer.toUnsignedString(rank)));
    }
    List<Long> dimensions = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      dimensions.add(in.getLong("dimension of tensor " + name));
    }
    int typeId = in.getInt("type of tensor " + name);
    long offset = in.getLong("offset of tensor " + name);
    TensorType type =
        TensorType.byId(typeId)
            .orElseThrow(() ->
                in.problem(
                    start,
                    "tensor %s must have a type that Quern knows but has type id %s; convert it"
                        .formatted(name, Integer.toUnsignedString(typeId))));
    if (offset % alignment != 0) {
      throw in.problem(
          start,
          "offset of tensor %s must be a multiple of the alignment %d but is %s"
              .formatted(name, alignment, Long.toUnsignedString(offset)));
    }
    return new Described(
        start, name, dimensions, type, offset, bytes(start, name, dimensions, type));
  }

  private long bytes(long start, String name, List<Long> dimensions, TensorType type) {
    long elements = 1;
    for (long extent : dimensions) {
      // 2^55 elements are more than any file has; so neither product below overflows.
      if (extent < 1 || extent > (1L << 55) / elements) {
        throw in.problem(
            start,
            "dimensions of tensor %s must be positive with a product of at most 2^55 but are %s"
                .formatted(name, dimensions.stream().map(Long::toUnsignedString).toList()));
      }
      elements *= extent;
    }
    if (dimensions.getFirst() % type.blockElements() != 0) {
      throw in.problem(
          start,
          "rows of tensor %s:%s must be a multiple of the block of %d but have %d elements"
              .formatted(name, type.name(), type.blockElements(), dimensions.getFirst()));
    }
    return elements / type.blockElements() * type.blockBytes();
  }

  private List<GgufTensor> locate(List<Described> described, long dataOffset) {
    long room = Math.max(0, file.byteSize() - dataOffset);
    List<GgufTensor> tensors = new ArrayList<>();
    for (Described tensor : described) {
      long offset = tensor.offset();
      if (offset < 0 || offset > room || tensor.bytes() > room - offset) {
        throw in.problem(
            tensor.at(),
            ("tensor %s must lie inside the %d bytes of data but is %d bytes at offset %s;"
                    + " the file is damaged or cut short")
                .formatted(tensor.name(), room, tensor.bytes(), Long.toUnsignedString(offset)));
      }
      tensors.add(
          new GgufTensor(
              tensor.name(),
              tensor.dimensions(),
              tensor.type().id(),
              tensor.type().name(),
              dataOffset + offset,
              file.asSlice(dataOffset + offset, tensor.bytes())));
    }
    checkOverlaps(described);
    return List.copyOf(tensors);
  }

  private void checkOverlaps(List<Described> described) {
    List<Described> sorted = new ArrayList<>(described);
    sorted.sort(Comparator.comparingLong(Described::offset));
    for (int i = 1; i < sorted.size(); i++) {
      Described before = sorted.get(i - 1);
      Described tensor = sorted.get(i);
      if (tensor.offset() - before.offset() < before.bytes()) {
        throw in.problem(
            tensor.at(),
            "tensors must not overlap but %s (%d bytes at offset %d) and %s (offset %d) do"
                .formatted(
                    before.name(),
                    before.bytes(),
                    before.offset(),
                    tensor.name(),
                    tensor.offset()));
      }
    }
  }
}
