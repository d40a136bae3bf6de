package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Shape;
import dev.quern.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What files of adapters say, and what is wrong with those that are damaged. */
class LoraFilesTest {
  @TempDir private Path folder;

  /** PEFT's rows of queries and keys are in another order than those of llama files. */
  @Test
  void peftAdaptersOfLlamaAreReordered() throws IOException {
    ModelSource source = AdapterFiles.shipped("arch-llama3-ropescale-f32.gguf");
    String key = "base_model.model.model.layers.1.self_attn.";
    Map<String, float[]> values = new LinkedHashMap<>();
    values.put(key + "k_proj.lora_A.weight", AdapterFiles.random(2 * 64, 1));
    float[] keys = AdapterFiles.random(32 * 2, 2);
    values.put(key + "k_proj.lora_B.weight", keys);
    values.put(key + "v_proj.lora_A.weight", AdapterFiles.random(2 * 64, 3));
    float[] inOrder = AdapterFiles.random(32 * 2, 4);
    values.put(key + "v_proj.lora_B.weight", inOrder);
    Path file = folder.resolve("adapter_model.safetensors");
    Shape a = Shape.of(2, 64);
    Shape b = Shape.of(32, 2);
    AdapterFiles.safetensors(file, values, List.of(a, b, a, b));
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"lora_alpha\": 6, \"r\": 2, \"bias\": \"none\", \"rank_pattern\": {}, \"x\": [1,"
            + " null]}");
    try (source;
        Lora lora = Lora.read(file, source.metadata())) {
      Lora.Factors k = factors(lora, "blk.1.attn_k");
      assertThat(k.scale()).isEqualTo(3);
      // head 1 of two of 16: its row 3 and row 3 + 8 become rows 6 and 7
      assertThat(at(k.b(), 16 + 6)).isEqualTo(keys[2 * (16 + 3)]);
      assertThat(at(k.b(), 16 + 7)).isEqualTo(keys[2 * (16 + 11)]);
      assertThat(at(factors(lora, "blk.1.attn_v").b(), 16 + 6)).isEqualTo(inOrder[2 * 22]);
    }
    Files.writeString(
        folder.resolve("adapter_config.json"), "{\"lora_alpha\": 6, \"use_dora\": true}");
    assertThatThrownBy(() -> Lora.read(file, source.metadata()))
        .hasMessageContaining("use_dora must be false but is true");
  }

  private static Lora.Factors factors(Lora lora, String projection) {
    return Objects.requireNonNull(lora.factors().get(projection));
  }

  private static float at(ModelSource.Weight b, long row) {
    return b.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, row * b.shape().last() * 4);
  }

  /** Factors of blk.0.attn_q, which is [64, 64] of 4 heads, that no such weight has. */
  @ParameterizedTest
  @CsvSource({
    "2 64, 64 3, must be",
    "64, 64 2, must be",
    "2 64, 64, must be",
    "2 64, 63 2, must be",
    "2 64, 4 2, must be",
    "2 64, 2 2, must be",
    "1 2 64, 1 64 2, must be",
  })
  void factorsOfWrongShapesAreNamed(String a, String b, String message) throws IOException {
    ModelSource source = AdapterFiles.shipped("arch-llama3-ropescale-f32.gguf");
    long[] first = Arrays.stream(a.split(" ")).mapToLong(Long::parseLong).toArray();
    long[] second = Arrays.stream(b.split(" ")).mapToLong(Long::parseLong).toArray();
    Path gguf = folder.resolve("wrong.gguf");
    try (Arena arena = Arena.ofConfined()) {
      String name = "blk.0.attn_q.weight";
      GgufWriter.write(
          gguf,
          AdapterFiles.metadata("llama", 4f),
          List.of(
              AdapterFiles.tensor(arena, name + ".lora_a", Shape.of(first), 1),
              AdapterFiles.tensor(arena, name + ".lora_b", Shape.of(second), 2)));
    }
    Path peft = folder.resolve("adapter_model.safetensors");
    Map<String, float[]> values = new LinkedHashMap<>();
    String key = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
    values.put(key + "A.weight", AdapterFiles.random((int) Shape.of(first).elements(), 1));
    values.put(key + "B.weight", AdapterFiles.random((int) Shape.of(second).elements(), 2));
    AdapterFiles.safetensors(peft, values, List.of(Shape.of(first), Shape.of(second)));
    try (source) {
      for (Path file : List.of(gguf, peft)) {
        assertThatThrownBy(
                () -> {
                  try (Lora lora = Lora.read(file, source.metadata())) {
                    lora.requireFits(source);
                  }
                })
            .as(file.toString())
            .isInstanceOf(ModelException.class)
            .hasMessageContaining(message);
      }
    }
  }

  /** As llama.cpp has it: factors of a file without an alpha are added as they are. */
  @Test
  void anAlphaOfNothingIsOne() throws IOException {
    Path file = folder.resolve("plain.gguf");
    try (Arena arena = Arena.ofConfined();
        ModelSource source = AdapterFiles.shipped("arch-qwen2-f32.gguf")) {
      String name = "blk.0.attn_q.weight";
      GgufWriter.write(
          file,
          AdapterFiles.metadata("qwen2", 0f),
          List.of(
              AdapterFiles.tensor(arena, name + ".lora_a", Shape.of(2, 64), 1),
              AdapterFiles.tensor(arena, name + ".lora_b", Shape.of(64, 2), 2)));
      try (Lora lora = Lora.read(file, source.metadata())) {
        assertThat(factors(lora, "blk.0.attn_q").scale()).isEqualTo(1);
      }
    }
  }

  @Test
  void damagedSafetensorsAreNamed() throws IOException {
    ModelSource source = AdapterFiles.shipped("arch-qwen2-f32.gguf");
    Path file = folder.resolve("bad.safetensors");
    String entry =
        "{\"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight\":"
            + "{\"dtype\":\"F32\",\"shape\":[2,64],\"data_offsets\":[%s]}}";
    for (String[] bad :
        new String[][] {
          {entry.formatted("0, 512"), "must be 512 in a file of 0"},
          {entry.formatted("-8, 504"), "must be whole numbers"},
          {entry.formatted("0, 512").replace("F32", "I8"), "dtype of base_model"},
          {"[1]", "JSON must have an object at character 0"},
          {"{\"a\": [}", "JSON must have a value at character 7"},
          {"{\"a\": " + "[".repeat(70), "at most 64 levels"},
        }) {
      byte[] json = bad[0].getBytes(StandardCharsets.UTF_8);
      ByteBuffer bytes = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
      Files.write(file, bytes.putLong(json.length).put(json).array());
      assertThatThrownBy(() -> Lora.read(file, source.metadata()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(bad[1]);
    }
    Files.write(file, new byte[] {1, 2, 3});
    assertThatThrownBy(() -> Lora.read(file, source.metadata()))
        .hasMessageContaining("header at byte 0 must have a length");
    source.close();
  }
}
