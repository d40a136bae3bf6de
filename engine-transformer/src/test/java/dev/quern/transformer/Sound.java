package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import dev.quern.testkit.Golden;
import dev.quern.tokenizer.SmallVocabularies;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Files and texts that nothing was done to. */
final class Sound {
  static final List<GgufMetadata> VOCABULARIES =
      List.of(
          SmallVocabularies.byteLevel("gpt-2", List.of("a b", "ab c", "Ġ a"), List.of("héé"))
              .build(),
          SmallVocabularies.byteLevel("llama-bpe", List.of("1 2", "Ã ©"), List.of("<|eot_id|>"))
              .build(),
          SmallVocabularies.sentencePiece(List.of("▁", "a", "b", "ab", "▁a", "é", "\n\n")).build());

  static final byte[] SMALL = small();
  static final byte[] LARGER = written(VOCABULARIES.getFirst(), List.of(tensor("t", 7)));
  static final String PEFT_CONFIG =
      """
      {"peft_type": "LORA", "r": 2, "lora_alpha": 4.0, "use_rslora": false, "bias": "none",
       "fan_in_fan_out": false, "rank_pattern": {}, "target_modules": ["k_proj", "v_proj"],
       "text": "\\u00e9\\n\\"", "deep": [[[[]]], {"a": [1e3, -0.5, null, true]}]}
      """;
  static final byte[] PEFT = peft();

  private Sound() {}

  static List<ModelSource> models() {
    return Models.ALL;
  }

  static List<Tokenizer> tokenizers() {
    return VOCABULARIES.stream().map(Tokenizers::from).toList();
  }

  /** Loaded when first asked for. */
  private static final class Models {
    static final List<ModelSource> ALL =
        List.of("arch-llama3-ropescale-f32.gguf", "arch-qwen2-f32.gguf", "arch-mixtral-f32.gguf")
            .stream()
            .map(name -> ModelSource.of(file(name)))
            .toList();

    private static GgufFile file(String name) {
      try (InputStream stream = Golden.model(name)) {
        return GgufFile.read(stream, name);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static byte[] small() {
    return written(
        VOCABULARIES.getLast(), List.of(tensor("t", 4, 8), tensor("u", 32), tensor("v", 2, 2, 4)));
  }

  static byte[] lora() {
    GgufMetadata metadata =
        GgufMetadata.builder("lora")
            .put("general.type", "adapter")
            .put("adapter.type", "lora")
            .put("general.architecture", "llama")
            .put("adapter.lora.alpha", 4f)
            .build();
    return written(
        metadata,
        List.of(
            tensor("blk.0.attn_v.weight.lora_a", 2, 64),
            tensor("blk.0.attn_v.weight.lora_b", 32, 2),
            tensor("blk.1.ffn_down.weight.lora_a", 2, 128),
            tensor("blk.1.ffn_down.weight.lora_b", 64, 2)));
  }

  private static GgufWriter.Source tensor(String name, long... extents) {
    Shape shape = Shape.of(extents);
    int count = Math.toIntExact(shape.elements());
    ByteBuffer data = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      data.putFloat((i % 13 - 6) / 64f);
    }
    return new GgufWriter.Source(
        name, shape, WeightFormats.F32, MemorySegment.ofArray(data.array()));
  }

  private static byte[] written(GgufMetadata metadata, List<GgufWriter.Source> tensors) {
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      GgufWriter.write(out, metadata, tensors);
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] peft() {
    String layer = "base_model.model.model.layers.1.self_attn.";
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + entry(layer + "k_proj.lora_A.weight", "2,64", 0, 512)
            + ","
            + entry(layer + "k_proj.lora_B.weight", "32,2", 512, 768)
            + ","
            + entry(layer + "v_proj.lora_A.weight", "2,64", 768, 1280)
            + ","
            + entry(layer + "v_proj.lora_B.weight", "32,2", 1280, 1536)
            + "}";
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + 1536)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  private static String entry(String name, String shape, int from, int to) {
    return "\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}"
        .formatted(name, shape, from, to);
  }
}
