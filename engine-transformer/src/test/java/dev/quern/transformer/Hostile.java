package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufNumbers;
import dev.quern.gguf.GgufStrings;
import dev.quern.gguf.GgufTensor;
import dev.quern.gguf.GgufType;
import dev.quern.gguf.GgufValue;
import dev.quern.gguf.GgufWriter;
import dev.quern.testkit.Golden;
import dev.quern.tokenizer.SmallVocabularies;
import dev.quern.tokenizer.TokenDecoder;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Kinds of hostile input: something sound, and what is done to it. */
enum Hostile {
  /** A file of which bytes are changed, cut out, or put in. */
  GGUF_BYTES(2000) {
    @Override
    void run(Case one) {
      Random random = one.random;
      byte[] file = mutated(random.nextBoolean() ? Sound.SMALL : Sound.LARGER, random);
      GgufFile read = GgufFile.of(MemorySegment.ofArray(file), "hostile");
      assertThat(read.metadata().values().values())
          .allSatisfy(v -> assertThat(v.toString()).isNotNull());
      for (GgufTensor tensor : read.tensors()) {
        tensor.segment().get(ValueLayout.JAVA_BYTE, tensor.bytes() - 1);
      }
    }
  },

  /** A model with values in its metadata that no model has. */
  MODEL_METADATA(100) {
    @Override
    void run(Case one) {
      Random random = one.random;
      ModelSource sound = Sound.models().get(random.nextInt(Sound.models().size()));
      one.generate(new Changed(sound, changed(sound.metadata(), random), sound.weights()));
    }
  },

  /** A model whose tensors are of another shape or format, missing, or not its own. */
  MODEL_TENSORS(150) {
    @Override
    void run(Case one) {
      Random random = one.random;
      ModelSource sound = Sound.models().get(random.nextInt(Sound.models().size()));
      List<ModelSource.Weight> weights = new ArrayList<>(sound.weights());
      for (int i = random.nextInt(3); i >= 0; i--) {
        int at = random.nextInt(weights.size());
        ModelSource.Weight weight = weights.get(at);
        ModelSource.Weight other = weights.get(random.nextInt(weights.size()));
        switch (random.nextInt(4)) {
          case 0 -> weights.remove(at);
          case 1 ->
              weights.set(
                  at,
                  new ModelSource.Weight(
                      weight.name(), other.shape(), other.format(), other.data()));
          case 2 ->
              weights.set(
                  at,
                  new ModelSource.Weight(
                      other.name(), weight.shape(), weight.format(), weight.data()));
          default ->
              weights.set(
                  at,
                  new ModelSource.Weight(
                      weight.name() + "x", weight.shape(), weight.format(), weight.data()));
        }
      }
      one.generate(new Changed(sound, sound.metadata(), weights));
    }
  },

  /** A vocabulary with changed values, then any text, encoded and decoded. */
  TOKENIZER(500) {
    @Override
    void run(Case one) {
      Random random = one.random;
      GgufMetadata sound = Sound.VOCABULARIES.get(random.nextInt(Sound.VOCABULARIES.size()));
      Tokenizer tokenizer = Tokenizers.from(changed(sound, random));
      for (int i = 0; i < 4; i++) {
        int[] tokens = tokenizer.encode(text(random), random.nextBoolean(), random.nextBoolean());
        tokenizer.decode(tokens);
        TokenDecoder decoder = new TokenDecoder(tokenizer, Tokenizer.NONE);
        for (int token : tokens) {
          decoder.accept(token);
        }
        decoder.finish();
      }
    }
  },

  /** Any text, through tokenizers that are sound: what goes in comes out. */
  TEXT(400) {
    @Override
    void run(Case one) {
      Random random = one.random;
      Tokenizer tokenizer = Sound.tokenizers().get(random.nextInt(Sound.tokenizers().size()));
      String text = text(random);
      String back = tokenizer.decode(tokenizer.encode(text, false, false));
      String whole = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
      if (!back.equals(whole)) {
        throw new AssertionError("'%s' comes back as '%s'".formatted(whole, back));
      }
    }
  },

  /** Safetensors of an adapter and its settings, changed byte by byte. */
  PEFT(200) {
    @Override
    void run(Case one) throws IOException {
      Random random = one.random;
      Path file = one.folder.resolve("hostile.safetensors");
      boolean header = random.nextBoolean();
      Files.write(file, header ? mutated(Sound.PEFT, random) : Sound.PEFT);
      byte[] config = Sound.PEFT_CONFIG.getBytes(StandardCharsets.UTF_8);
      Files.write(
          one.folder.resolve("adapter_config.json"), header ? config : mutated(config, random));
      ModelSource model = Sound.models().getFirst();
      try (Lora lora = Lora.read(file, model.metadata())) {
        lora.requireFits(model);
      }
    }
  },

  /** A GGUF adapter, changed byte by byte, then loaded beside its model. */
  LORA(100) {
    @Override
    void run(Case one) throws IOException {
      Path file = one.folder.resolve("hostile.gguf");
      Files.write(file, mutated(Sound.lora(), one.random));
      try (LanguageModel model =
              LanguageModel.load(
                  new Changed(Sound.models().getFirst()), one.backend, Case.OPTIONS);
          LoraAdapter adapter = model.loadAdapter(file, 1);
          Session session = model.newSession(List.of(adapter))) {
        session.append(new int[] {5, 400});
        session.generate(GenerationOptions.greedy(1), text -> {});
      }
    }
  },

  /** Text that is almost JSON. */
  JSON(1500) {
    @Override
    void run(Case one) {
      byte[] text = mutated(Sound.PEFT_CONFIG.getBytes(StandardCharsets.UTF_8), one.random);
      MiniJson.object("hostile", new String(text, StandardCharsets.UTF_8));
    }
  };

  private final int few;

  Hostile(int few) {
    this.few = few;
  }

  /** How many cases the short form makes. */
  int few() {
    return few;
  }

  abstract void run(Case one) throws IOException;

  /** One case. */
  record Case(Random random, Backend backend, Path folder) {
    static final LoadOptions OPTIONS = LoadOptions.exact().withContext(8).withChunk(4);

    void generate(ModelSource source) {
      try (LanguageModel model = LanguageModel.load(source, backend, OPTIONS);
          Session session = model.newSession()) {
        session.append(new int[] {5, 400, 77});
        session.generate(GenerationOptions.greedy(2), text -> {});
        model.chatTemplate();
      }
    }
  }

  /** Another model's memory with changes; closing it changes nothing. */
  record Changed(ModelSource sound, GgufMetadata metadata, List<ModelSource.Weight> weights)
      implements ModelSource {
    Changed(ModelSource sound) {
      this(sound, sound.metadata(), sound.weights());
    }

    @Override
    public String name() {
      return "hostile";
    }

    @Override
    public void close() {}
  }

  // ---- what is sound

  /** Files and texts that nothing was done to. */
  private static final class Sound {
    static final List<GgufMetadata> VOCABULARIES =
        List.of(
            SmallVocabularies.byteLevel("gpt-2", List.of("a b", "ab c", "Ġ a"), List.of("héé"))
                .build(),
            SmallVocabularies.byteLevel("llama-bpe", List.of("1 2", "Ã ©"), List.of("<|eot_id|>"))
                .build(),
            SmallVocabularies.sentencePiece(List.of("▁", "a", "b", "ab", "▁a", "é", "\n\n"))
                .build());

    static final byte[] SMALL = small();
    static final byte[] LARGER = written(VOCABULARIES.getFirst(), List.of(tensor("t", 7)));
    static final String PEFT_CONFIG =
        """
        {"peft_type": "LORA", "r": 2, "lora_alpha": 4.0, "use_rslora": false, "bias": "none",
         "fan_in_fan_out": false, "rank_pattern": {}, "target_modules": ["k_proj", "v_proj"],
         "text": "\\u00e9\\n\\"", "deep": [[[[]]], {"a": [1e3, -0.5, null, true]}]}
        """;
    static final byte[] PEFT = peft();

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
          VOCABULARIES.getLast(),
          List.of(tensor("t", 4, 8), tensor("u", 32), tensor("v", 2, 2, 4)));
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

  // ---- what is done to it

  private static final long[] EXTREMES = {
    0,
    1,
    2,
    -1,
    255,
    4096,
    65_536,
    1 << 30,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  /** Bytes flipped, set, cut out, doubled, or replaced by an extreme number. */
  private static byte[] mutated(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    for (int i = random.nextInt(3); i >= 0 && bytes.length > 16; i--) {
      // what is near the start decides most
      int within = random.nextBoolean() ? bytes.length : Math.min(bytes.length, 1500);
      int at = random.nextInt(within);
      int length = Math.min(bytes.length - at, 1 + random.nextInt(16));
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = spliced(bytes, at, at + length, new byte[0]);
        case 3 -> bytes = spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, at + length));
        case 4 -> bytes = random.nextInt(4) > 0 ? bytes : Arrays.copyOf(bytes, Math.max(16, at));
        default -> {
          ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          number.putLong(EXTREMES[random.nextInt(EXTREMES.length)]);
          int count = Math.min(random.nextBoolean() ? 8 : 4, bytes.length - at);
          System.arraycopy(number.array(), 0, bytes, at, count);
        }
      }
    }
    return bytes;
  }

  private static byte[] spliced(byte[] bytes, int from, int to, byte[] with) {
    byte[] result = new byte[bytes.length - (to - from) + with.length];
    System.arraycopy(bytes, 0, result, 0, from);
    System.arraycopy(with, 0, result, from, with.length);
    System.arraycopy(bytes, to, result, from + with.length, bytes.length - to);
    return result;
  }

  /** One to three values replaced by others of the same or of another type, or left out. */
  private static GgufMetadata changed(GgufMetadata sound, Random random) {
    List<String> keys = new ArrayList<>(sound.values().keySet());
    Map<String, GgufValue> values = new LinkedHashMap<>(sound.values());
    for (int i = random.nextInt(3); i >= 0; i--) {
      String key = keys.get(random.nextInt(keys.size()));
      if (random.nextInt(8) == 0) {
        values.remove(key);
      } else if (values.get(key) != null) {
        values.put(key, other(values.get(key), random));
      }
    }
    GgufMetadata.Builder builder = GgufMetadata.builder("hostile");
    values.forEach(builder::put);
    return builder.build();
  }

  private static GgufValue other(GgufValue value, Random random) {
    if (random.nextInt(6) == 0) {
      return switch (random.nextInt(4)) {
        case 0 -> new GgufValue.Text(text(random));
        case 1 -> new GgufValue.Bool(random.nextBoolean());
        case 2 -> GgufNumbers.of(new int[] {1, -1, Integer.MAX_VALUE});
        default -> GgufStrings.of(List.of("a", "", text(random)));
      };
    }
    return switch (value) {
      case GgufValue.Whole whole ->
          new GgufValue.Whole(
              GgufType.INT64,
              random.nextBoolean()
                  ? EXTREMES[random.nextInt(EXTREMES.length)]
                  : whole.value() + random.nextInt(5) - 2);
      case GgufValue.Real _ -> {
        double[] extremes = {0, -1, 1e-40, 1e38, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
        yield new GgufValue.Real(GgufType.FLOAT64, extremes[random.nextInt(extremes.length)]);
      }
      case GgufValue.Bool bool -> new GgufValue.Bool(!bool.value());
      case GgufValue.Text _ -> new GgufValue.Text(text(random));
      case GgufStrings strings -> {
        List<String> changed = new ArrayList<>(strings);
        for (int i = random.nextInt(4); i >= 0 && !changed.isEmpty(); i--) {
          int at = random.nextInt(changed.size());
          switch (random.nextInt(4)) {
            case 0 -> changed.remove(at);
            case 1 -> changed.set(at, text(random));
            case 2 -> changed.set(at, changed.get(random.nextInt(changed.size())));
            default -> changed.add(at, "");
          }
        }
        yield GgufStrings.of(changed);
      }
      case GgufNumbers numbers -> {
        int[] changed = new int[Math.max(0, numbers.size() + random.nextInt(3) - 1)];
        for (int i = 0; i < Math.min(changed.length, numbers.size()); i++) {
          changed[i] = (int) numbers.getLong(i);
        }
        if (changed.length > 0) {
          changed[random.nextInt(changed.length)] = (int) EXTREMES[random.nextInt(EXTREMES.length)];
        }
        yield GgufNumbers.of(changed);
      }
      case GgufValue.Nested nested -> nested;
    };
  }

  private static final String[] LIKELY = {
    " ",
    "  ",
    "\n",
    "\r\n",
    "▁",
    "Ġ",
    "the",
    "é",
    "'s",
    "12",
    "<tool>",
    "<s>",
    "<|im_end|>",
    "<0x41>",
    "\uFFFD",
    "🦊",
    "\u0301",
    "\0",
    "ab",
    "aaaaaaaaaaaaaaaa",
    "\uD83D",
    "héé"
  };

  /** Some characters, likely and unlikely, now and then very many. */
  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    int parts = random.nextInt(50) == 0 ? 5_000 : random.nextInt(24);
    for (int i = 0; i < parts; i++) {
      if (random.nextInt(4) > 0) {
        text.append(LIKELY[random.nextInt(LIKELY.length)]);
      } else {
        text.appendCodePoint(random.nextInt(Character.MAX_CODE_POINT + 1));
      }
    }
    return text.toString();
  }
}
