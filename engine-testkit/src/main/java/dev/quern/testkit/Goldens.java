package dev.quern.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Logits computed elsewhere, which an engine's own are compared with. */
public final class Goldens {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Goldens() {}

  /**
   * One run of a model.
   *
   * @param model file name of the model
   * @param logits file name of the logits: float32, {@code [positions, vocabulary]}
   * @param adapter file name of the adapter applied, empty for none
   * @param prompt the text, empty where the tokens were random
   * @param tokens the input
   * @param positions whose logits the file holds
   * @param vocabulary size of the vocabulary
   * @param greedy the next tokens at temperature 0, empty where not recorded
   * @param note where it came from
   * @param expected reads the logits, one row after the other
   */
  public record Golden(
      String model,
      String logits,
      String adapter,
      String prompt,
      List<Integer> tokens,
      List<Integer> positions,
      int vocabulary,
      List<Integer> greedy,
      String note,
      Supplier<float[]> expected) {
    public Golden {
      tokens = List.copyOf(tokens);
      positions = List.copyOf(positions);
      greedy = List.copyOf(greedy);
    }

    /** For the names of tests. */
    @Override
    public String toString() {
      return logits;
    }

    /**
     * The normalised mean squared error of logits of every input position.
     *
     * @param actual {@code [tokens, vocabulary]}, one row after the other
     */
    public double nmse(float[] actual) {
      float[] compared = new float[positions.size() * vocabulary];
      for (int i = 0; i < positions.size(); i++) {
        System.arraycopy(
            actual, positions.get(i) * vocabulary, compared, i * vocabulary, vocabulary);
      }
      return Accuracy.nmse(compared, expected.get());
    }
  }

  /** The goldens that this module carries. */
  public static List<Golden> shipped() {
    return read(name -> Fixtures.bytes("goldens/" + name));
  }

  /** The goldens of a folder with a {@code goldens.json}. */
  public static List<Golden> in(Path folder) {
    return read(name -> {
      try {
        return Files.readAllBytes(folder.resolve(name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  /** Little-endian float32 numbers. */
  static float[] floats(byte[] bytes) {
    return MemorySegment.ofArray(bytes).toArray(F32);
  }

  private static List<Golden> read(Function<String, byte[]> files) {
    try {
      List<Golden> goldens = new ArrayList<>();
      for (JsonNode node : new ObjectMapper().readTree(files.apply("goldens.json"))) {
        goldens.add(golden(node, files));
      }
      return goldens;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Golden golden(JsonNode node, Function<String, byte[]> files) {
    String logits = node.required("logits").asText();
    return new Golden(
        node.required("model").asText(),
        logits,
        node.path("adapter").asText(""),
        node.path("prompt").asText(""),
        integers(node.required("tokens")),
        integers(node.required("positions")),
        node.required("vocab").asInt(),
        integers(node.path("greedy")),
        node.path("note").asText(""),
        () -> floats(files.apply(logits)));
  }

  private static List<Integer> integers(JsonNode array) {
    List<Integer> integers = new ArrayList<>();
    array.forEach(node -> integers.add(node.asInt()));
    return integers;
  }
}
