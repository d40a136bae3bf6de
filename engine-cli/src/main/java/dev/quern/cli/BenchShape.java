package dev.quern.cli;

import java.util.List;

/**
 * The shape of a published model.
 *
 * @param name how the command calls it
 * @param architecture its family in GGUF files
 * @param tied whether the embedding is the output matrix too
 */
record BenchShape(
    String name,
    String architecture,
    int layers,
    int hidden,
    int feedForward,
    int heads,
    int kvHeads,
    int headSize,
    int vocabulary,
    boolean tied) {
  private static final List<BenchShape> ALL =
      List.of(
          new BenchShape("llama-1b", "llama", 16, 2048, 8192, 32, 8, 64, 128_256, true),
          new BenchShape("llama-8b", "llama", 32, 4096, 14_336, 32, 8, 128, 128_256, false),
          new BenchShape("qwen3-4b", "qwen3", 36, 2560, 9728, 32, 8, 128, 151_936, true),
          new BenchShape("qwen3-0.6b", "qwen3", 28, 1024, 3072, 16, 8, 128, 151_936, true));

  /** The shape of this name; another one is wrong usage. */
  static BenchShape of(String name) {
    return ALL.stream()
        .filter(shape -> shape.name.equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--shape: must be one of %s but is %s"
                    .formatted(
                        String.join(", ", ALL.stream().map(BenchShape::name).toList()), name)));
  }

  /** Whether queries and keys are normalised. */
  boolean normalisesHeads() {
    return architecture.equals("qwen3");
  }
}
