package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code merge}, in this process. */
class MergeCommandTest {
  @TempDir private Path folder = Path.of("");

  /** {@code W + weight · alpha / rank · B·A} by hand. */
  @Test
  void adaptersAreAddedByWeight() throws IOException {
    String model = write("model.gguf", "blk.0.attn_v.weight", new float[] {1, 2, 3, 4}, 2, 2);
    String adapter = folder.resolve("adapter.gguf").toString();
    adapter(adapter);
    Path out = folder.resolve("out.gguf");
    Ran ran =
        Ran.quern(
            "merge", model, out.toString(), "--lora", adapter + "=0.5", "--lora", adapter + "=2");
    assertThat(ran.err()).contains("out.gguf: 0.0 MB");
    assertThat(ran.out()).isEmpty();
    assertThat(ran.status()).isZero();
    try (GgufFile file = GgufFile.open(out)) {
      float[] values = new float[4];
      WeightFormats.F32.decode(file.require("blk.0.attn_v.weight").segment(), 0, values, 0, 4);
      // alpha / rank = 4, B·A = [[10, 20], [30, 60]]
      assertThat(values).containsExactly(1 + 100, 2 + 200, 3 + 300, 4 + 600);
    }
  }

  @Test
  void wrongUsageIsNamed() throws IOException {
    String model = write("model.gguf", "blk.0.attn_v.weight", new float[] {1, 2, 3, 4}, 2, 2);
    String adapter = folder.resolve("adapter.gguf").toString();
    adapter(adapter);
    for (Ran ran :
        List.of(
            Ran.quern("merge", model, model, "--lora", adapter),
            Ran.quern("merge", model, model + "2"),
            Ran.quern("merge", model, "--lora", adapter))) {
      assertThat(ran.status()).isEqualTo(Failures.USAGE);
      assertThat(ran.err()).startsWith("quern: ").hasLineCount(1);
    }
    Ran ran = Ran.quern("merge", adapter, model + "2", "--lora", adapter);
    assertThat(ran.status()).isEqualTo(Failures.FAILURE);
    assertThat(ran.err()).contains("every projection must be one of").contains("attn_v");
    assertThat(Path.of(model + "2")).doesNotExist();
  }

  private String write(String name, String tensor, float[] values, long... shape)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Path path = folder.resolve(name);
      GgufWriter.write(
          path, metadata().build(), List.of(tensor(arena, tensor, values, Shape.of(shape))));
      return path.toString();
    }
  }

  private static void adapter(String path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      List<GgufWriter.Source> tensors = new ArrayList<>();
      String name = "blk.0.attn_v.weight";
      tensors.add(tensor(arena, name + ".lora_a", new float[] {1, 2}, Shape.of(1, 2)));
      tensors.add(tensor(arena, name + ".lora_b", new float[] {10, 30}, Shape.of(2, 1)));
      GgufMetadata metadata =
          metadata()
              .put("general.type", "adapter")
              .put("adapter.type", "lora")
              .put("adapter.lora.alpha", 4f)
              .build();
      GgufWriter.write(Path.of(path), metadata, tensors);
    }
  }

  private static GgufMetadata.Builder metadata() {
    return GgufMetadata.builder("small").put("general.architecture", "llama");
  }

  private static GgufWriter.Source tensor(Arena arena, String name, float[] values, Shape shape) {
    return new GgufWriter.Source(
        name, shape, WeightFormats.F32, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
  }
}
