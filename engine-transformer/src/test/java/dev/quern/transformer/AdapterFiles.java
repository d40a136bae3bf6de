package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import dev.quern.testkit.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Makes files of LoRA adapters, and opens the models that they are for. */
final class AdapterFiles {
  private AdapterFiles() {}

  /** A model of the testkit. */
  static ModelSource shipped(String name) throws IOException {
    try (InputStream stream = Golden.model(name)) {
      return ModelSource.of(GgufFile.read(stream, name));
    }
  }

  /** A random adapter of rank 2 and alpha 4 on everything that is a matrix. */
  static void write(Path file, ModelSource source, long seed) throws IOException {
    GgufMetadata metadata = metadata(source.metadata().requireString("general.architecture"), 4);
    try (Arena arena = Arena.ofConfined()) {
      List<GgufWriter.Source> tensors = new ArrayList<>();
      for (ModelSource.Weight weight : source.weights()) {
        Shape shape = weight.shape();
        if (shape.rank() >= 2 && !weight.name().startsWith("token_embd")) {
          boolean stack = shape.rank() == 3;
          long rows = shape.dim(stack ? 1 : 0);
          Shape a = stack ? Shape.of(shape.rows(), 2, shape.last()) : Shape.of(2, shape.last());
          Shape b = stack ? Shape.of(shape.rows(), rows, 2) : Shape.of(rows, 2);
          tensors.add(tensor(arena, weight.name() + ".lora_a", a, seed++));
          tensors.add(tensor(arena, weight.name() + ".lora_b", b, seed++));
        }
      }
      GgufWriter.write(file, metadata, tensors);
    }
  }

  /** What a file says of itself; an alpha of 0 is none. */
  static GgufMetadata metadata(String architecture, float alpha) {
    return GgufMetadata.builder("lora")
        .put("general.architecture", architecture)
        .put("general.type", "adapter")
        .put("adapter.type", "lora")
        .put("adapter.lora.alpha", alpha)
        .build();
  }

  /** A random tensor. */
  static GgufWriter.Source tensor(Arena arena, String name, Shape shape, long seed) {
    float[] values = random((int) shape.elements(), seed);
    MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    return new GgufWriter.Source(name, shape, WeightFormats.F32, data);
  }

  /** Numbers between -0.1 and 0.1. */
  static float[] random(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-0.1, 0.1);
    }
    return values;
  }

  /** A file with these F32 tensors, in the order of the map. */
  static void safetensors(Path file, Map<String, float[]> values, List<Shape> shapes)
      throws IOException {
    StringBuilder json = new StringBuilder("{\"__metadata__\": {\"format\": \"pt\"}");
    int at = 0;
    int i = 0;
    for (Map.Entry<String, float[]> tensor : values.entrySet()) {
      int end = at + 4 * tensor.getValue().length;
      json.append(
          ", \"%s\": {\"dtype\": \"F32\", \"shape\": %s, \"data_offsets\": [%d, %d]}"
              .formatted(tensor.getKey(), shapes.get(i), at, end));
      at = end;
      i++;
    }
    byte[] header = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + at).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    values
        .values()
        .forEach(all -> {
          for (float value : all) {
            bytes.putFloat(value);
          }
        });
    Files.write(file, bytes.array());
  }
}
