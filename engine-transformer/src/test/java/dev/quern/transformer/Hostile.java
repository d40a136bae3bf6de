package dev.quern.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufTensor;
import dev.quern.tokenizer.TokenDecoder;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Kinds of hostile input: something sound, and what is done to it. */
enum Hostile {
  /** A file of which bytes are changed, cut out, or put in. */
  GGUF_BYTES(2000) {
    @Override
    void run(Case one) {
      Random random = one.random;
      byte[] file = Mutations.mutated(random.nextBoolean() ? Sound.SMALL : Sound.LARGER, random);
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
      one.generate(
          new Changed(sound, Mutations.changed(sound.metadata(), random), sound.weights()));
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
      Tokenizer tokenizer = Tokenizers.from(Mutations.changed(sound, random));
      for (int i = 0; i < 4; i++) {
        int[] tokens =
            tokenizer.encode(Mutations.text(random), random.nextBoolean(), random.nextBoolean());
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
      String text = Mutations.text(random);
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
      Files.write(file, header ? Mutations.mutated(Sound.PEFT, random) : Sound.PEFT);
      byte[] config = Sound.PEFT_CONFIG.getBytes(StandardCharsets.UTF_8);
      Files.write(
          one.folder.resolve("adapter_config.json"),
          header ? config : Mutations.mutated(config, random));
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
      Files.write(file, Mutations.mutated(Sound.lora(), one.random));
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
      byte[] text =
          Mutations.mutated(Sound.PEFT_CONFIG.getBytes(StandardCharsets.UTF_8), one.random);
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
}
