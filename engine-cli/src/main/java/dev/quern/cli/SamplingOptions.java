package dev.quern.cli;

import dev.quern.transformer.Generation;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say how text is generated. */
final class SamplingOptions {
  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      defaultValue = "512",
      description =
          "Most tokens to generate; 0 for as many as the context holds. Default: ${DEFAULT-VALUE}")
  private int maxTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 takes the most likely token. Default: ${DEFAULT-VALUE}")
  private float temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from the K most likely tokens; 0 for all. Default: ${DEFAULT-VALUE}")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw from the likeliest tokens that make up P together. Default: ${DEFAULT-VALUE}")
  private float topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "Draw from tokens at least P times as likely as the likeliest. Default: ${DEFAULT-VALUE}")
  private float minP;

  @Option(
      names = "--repeat-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Make recent tokens less likely; 1 for no change. Default: ${DEFAULT-VALUE}")
  private float repeatPenalty;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      description = "Start of the random numbers. Default: another one each time")
  private @Nullable Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Stop where this text would appear. May be given more than once.")
  private List<String> stop = new ArrayList<>();

  /** What the options say; a value out of its range is wrong usage. */
  GenerationOptions options() {
    long start = seed != null ? seed : new SplittableRandom().nextLong();
    try {
      return new GenerationOptions(
          maxTokens, new Sampling(temperature, topK, topP, minP, repeatPenalty, start), stop);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage());
    }
  }

  /** For people: what was read and written and how fast. */
  static String speed(Generation generation, String where) {
    return String.format(
        Locale.ROOT,
        "[%s; prompt %d tokens, %.1f tok/s; generated %d tokens, %.1f tok/s; %s]",
        where,
        generation.promptTokens(),
        generation.promptRate(),
        generation.tokens().size(),
        generation.decodeRate(),
        switch (generation.end()) {
          case END_OF_TEXT -> "the model ended";
          case STOP_TEXT -> "a stop text appeared";
          case MAX_TOKENS -> "all tokens asked for";
          case CONTEXT_FULL -> "the context is full, see --context";
          case CANCELLED -> "cancelled";
        });
  }
}
