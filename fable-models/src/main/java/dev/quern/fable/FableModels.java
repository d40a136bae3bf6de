package dev.quern.fable;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * The models that come with Quern: GGUF files of a few megabytes, trained on small fables.
 *
 * <p>They answer {@code Tell me a story about an owl named Otto.} in ChatML and continue {@code
 * Once upon a time, a small fox named Mira}. They know nothing else. {@code MODEL_CARD.md} beside
 * this module says how they were made.
 */
public final class FableModels {

  private static final List<Model> ALL =
      List.of(
          new Model("fable-7m-q4_k_m", 4_284_736, "6.8 M parameters, block-quantised to 4 bits"),
          new Model("fable-7m-ternary-tq2_0", 2_131_328, "6.8 M parameters, trained ternary"),
          new Model("fable-moe-q4_k_m", 4_945_344, "mixture of 8 experts, 2 used per token"));

  private FableModels() {}

  /** Every model, the default one first. */
  public static List<Model> all() {
    return ALL;
  }

  /** The model that the command uses when none is named: {@code fable-7m-q4_k_m}. */
  public static Model defaultModel() {
    return ALL.getFirst();
  }

  /** The model of this {@linkplain Model#name() name}, if there is one. */
  public static Optional<Model> find(String name) {
    return ALL.stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /**
   * One model.
   *
   * @param name the file's name without {@code .gguf}
   * @param bytes the length of the file
   * @param description what it is, in a few words
   */
  public record Model(String name, long bytes, String description) {

    /**
     * Opens the GGUF file. The caller closes the stream.
     *
     * @return exactly {@link #bytes()} bytes
     * @throws IOException if the resource cannot be read, or if no model of this name is packaged
     */
    public InputStream open() throws IOException {
      InputStream stream = FableModels.class.getResourceAsStream(name + ".gguf");
      if (stream == null) {
        throw new FileNotFoundException(
            "fable model: must be one of %s but is %s; choose one of them"
                .formatted(ALL.stream().map(Model::name).toList(), name));
      }
      return stream;
    }
  }
}
