package dev.quern.cli;

import dev.quern.core.Precision;
import dev.quern.transformer.Pooling;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern embed}: a vector for each text. */
@Command(
    name = "embed",
    versionProvider = QuernVersion.class,
    description =
        "Write a vector for each text, pooled from the states after the final norm: a JSON array a"
            + " line, or raw float32.")
final class EmbedCommand extends Subcommand {
  /** Texts that run together. */
  private static final int MOST_TOGETHER = 8;

  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private LoraOptions lora = new LoraOptions();

  @ArgGroup(multiplicity = "1")
  private Texts texts = new Texts();

  @Option(
      names = "--pooling",
      paramLabel = "mean|last|cls",
      description =
          "The mean of all states, that of the last token, or that of the first. Default: what the"
              + " file says, else mean")
  private @Nullable Pooling pooling;

  @Option(names = "--normalize", description = "Divide each vector by its length.")
  private boolean normalize;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Write little-endian float32 [texts, width] to a file instead.")
  private @Nullable Path output;

  EmbedCommand(Streams streams) {
    super(streams);
  }

  /** The texts, one way or another. */
  static final class Texts {
    @Option(
        names = {"-p", "--prompt"},
        paramLabel = "TEXT",
        description = "A text. May be repeated. Special tokens in it are parsed.")
    private @Nullable List<String> texts;

    @Option(
        names = "--prompt-file",
        paramLabel = "FILE",
        description = "File with a text on each line, in UTF-8; - for standard input.")
    private @Nullable String file;

    List<String> read(Streams streams) throws IOException {
      List<String> all = texts;
      if (all == null) {
        byte[] bytes =
            "-".equals(file)
                ? streams.in().readAllBytes()
                : Files.readAllBytes(Path.of(String.valueOf(file)));
        all = new String(bytes, StandardCharsets.UTF_8).lines().toList();
      }
      if (all.isEmpty() || all.stream().anyMatch(String::isEmpty)) {
        throw new UsageException("--prompt: every text must have a character but one has none");
      }
      return all;
    }
  }

  @Override
  public Integer call() throws IOException {
    List<String> all = texts.read(streams);
    Loaded.Request request =
        new Loaded.Request(
            model, Precision.FAST, lora.parsed(), Math.min(MOST_TOGETHER, all.size()));
    try (Loaded loaded = Loaded.load(request, streams)) {
      Pooling chosen = pooling == null ? loaded.model().pooling() : pooling;
      List<float[]> vectors =
          loaded.model().embed(all, chosen, loaded.adapters()).stream()
              .map(vector -> normalize ? normalized(vector) : vector)
              .toList();
      if (output == null) {
        vectors.forEach(vector -> streams.out().println(json(vector)));
      } else {
        Files.write(output, raw(vectors));
      }
      streams.say(
          "[%s; %d texts, vectors of %d, %s]"
              .formatted(
                  model.describe(loaded.backend(), Precision.FAST),
                  all.size(),
                  vectors.getFirst().length,
                  chosen.name().toLowerCase(Locale.ROOT)));
    }
    return 0;
  }

  private static float[] normalized(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    double length = Math.sqrt(squares);
    float[] result = new float[vector.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (vector[i] / length);
    }
    return result;
  }

  private static String json(float[] vector) {
    return IntStream.range(0, vector.length)
        .mapToObj(i -> Float.toString(vector[i]))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static byte[] raw(List<float[]> vectors) {
    int width = vectors.getFirst().length;
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * width * vectors.size()).order(ByteOrder.LITTLE_ENDIAN);
    vectors.forEach(vector -> {
      for (float value : vector) {
        bytes.putFloat(value);
      }
    });
    return bytes.array();
  }
}
