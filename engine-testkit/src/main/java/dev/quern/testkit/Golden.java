package dev.quern.testkit;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.core.format.WeightFormat;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What another engine computed for a model: the logits after some positions of a sequence of
 * tokens, and the tokens that follow at temperature 0.
 *
 * @param model file name of the model
 * @param logits file name of the logits
 * @param tokens the sequence
 * @param positions of the tokens after which the logits are known
 * @param vocab logits of a position
 * @param note how it was computed
 * @param prompt the text of the sequence, or empty
 * @param greedy the tokens that follow, or none
 * @param adapter file name of a LoRA adapter, or null
 */
public record Golden(
    String model,
    String logits,
    List<Integer> tokens,
    List<Integer> positions,
    int vocab,
    String note,
    String prompt,
    List<Integer> greedy,
    @Nullable String adapter) {
  private static final String SHIPPED = "goldens/";

  /** Absent fields of the JSON arrive here as null. */
  public Golden {
    tokens = List.copyOf(tokens);
    positions = List.copyOf(positions);
    prompt = prompt == null ? "" : prompt;
    greedy = greedy == null ? List.of() : List.copyOf(greedy);
  }

  /** The goldens that come with this module. */
  public static List<Golden> shipped() throws IOException {
    try (InputStream stream = resource(SHIPPED + "goldens.json")) {
      return parse(stream.readAllBytes());
    }
  }

  /** The goldens of a folder that holds {@code goldens.json}. */
  public static List<Golden> in(Path folder) throws IOException {
    return parse(Files.readAllBytes(folder.resolve("goldens.json")));
  }

  private static List<Golden> parse(byte[] json) throws IOException {
    return List.of(new ObjectMapper().readValue(json, Golden[].class));
  }

  /** The expected logits of a shipped golden, a row for each of {@link #positions}. */
  public float[][] expected() throws IOException {
    try (InputStream stream = resource(SHIPPED + logits)) {
      return rows(stream.readAllBytes());
    }
  }

  /** The expected logits of a golden in a folder, a row for each of {@link #positions}. */
  public float[][] expected(Path folder) throws IOException {
    return rows(Files.readAllBytes(folder.resolve(logits)));
  }

  /**
   * A model file that comes with this module.
   *
   * @throws FileNotFoundException if it does not
   */
  public static InputStream model(String name) throws IOException {
    return resource("models/" + name);
  }

  private float[][] rows(byte[] bytes) throws IOException {
    if (bytes.length != 4L * positions.size() * vocab) {
      throw new IOException(
          "%s: bytes must be 4 times %d positions times %d but are %d"
              .formatted(logits, positions.size(), vocab, bytes.length));
    }
    float[][] rows = new float[positions.size()][vocab];
    MemorySegment source = MemorySegment.ofArray(bytes);
    for (int row = 0; row < rows.length; row++) {
      MemorySegment.copy(source, WeightFormat.F32_BITS, 4L * row * vocab, rows[row], 0, vocab);
    }
    return rows;
  }

  private static InputStream resource(String name) throws IOException {
    InputStream stream = Golden.class.getResourceAsStream(name);
    if (stream == null) {
      throw new FileNotFoundException("testkit: resource must exist but does not: " + name);
    }
    return stream;
  }
}
