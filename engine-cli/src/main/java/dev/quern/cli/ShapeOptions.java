package dev.quern.cli;

import dev.quern.transformer.ModelSource;
import java.io.IOException;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Options of commands that measure: a published model's shape with random weights, or a file; and
 * the warm-up.
 */
final class ShapeOptions {
  @Option(
      names = "--shape",
      paramLabel = "NAME",
      description = "llama-1b, llama-8b, qwen3-4b or qwen3-0.6b, with random weights.")
  private @Nullable String shape;

  @Option(
      names = "--quant",
      paramLabel = "TYPE",
      description = "Q4_K_M, Q4_0, Q8_0, F16 or TQ2_0, with --shape. Default: Q4_K_M")
  private @Nullable String quant;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      defaultValue = "20",
      description = {
        "Longest warm-up before a measurement; it ends when the JVM has compiled what runs.",
        "Default: ${DEFAULT-VALUE}"
      })
  private int warmUp;

  /** Refuses what makes no sense, alone or together. */
  void check() {
    UsageException.require("--warm-up", warmUp, 0);
    if (shape == null && quant != null) {
      throw new UsageException("--quant: needs --shape but that is missing");
    }
  }

  /** Opens what is measured. */
  ModelSource open(ModelOptions model) throws IOException {
    return shape == null
        ? ModelSource.of(model.openFile())
        : new RandomModel(BenchShape.of(shape), BenchMix.of(mix()));
  }

  /** The warm-up before what is measured. */
  WarmUp warmUp() {
    return new WarmUp(warmUp);
  }

  private String mix() {
    return quant == null ? "Q4_K_M" : quant;
  }

  /** The mix, or the format that most bytes of a file are in. */
  String format(ModelSource source) {
    if (shape != null) {
      return BenchMix.of(mix()).name();
    }
    return source.weights().stream()
        .collect(
            Collectors.groupingBy(
                weight -> weight.format().name(),
                Collectors.summingLong(weight -> weight.data().byteSize())))
        .entrySet()
        .stream()
        .max(Comparator.comparingLong(Map.Entry::getValue))
        .map(Map.Entry::getKey)
        .orElse("none");
  }
}
