package dev.quern.transformer;

import java.util.List;

/**
 * How text is generated.
 *
 * @param maxTokens the most tokens to generate; 0 for as many as the context holds
 * @param sampling how the next token is drawn
 * @param stop texts that end the generation; they are not part of the result
 */
public record GenerationOptions(int maxTokens, Sampling sampling, List<String> stop) {
  /**
   * @throws IllegalArgumentException if maxTokens is negative or a stop text is empty
   */
  public GenerationOptions {
    stop = List.copyOf(stop);
    if (maxTokens < 0) {
      throw new IllegalArgumentException("max tokens: must not be negative but is " + maxTokens);
    }
    if (stop.contains("")) {
      throw new IllegalArgumentException("stop: a stop text must not be empty but one is");
    }
  }

  /** Always the most likely token. */
  public static GenerationOptions greedy(int maxTokens) {
    return new GenerationOptions(maxTokens, Sampling.greedy(), List.of());
  }

  /** Drawn as {@code sampling} says. */
  public static GenerationOptions sampled(int maxTokens, Sampling sampling) {
    return new GenerationOptions(maxTokens, sampling, List.of());
  }

  /** These options with other stop texts. */
  public GenerationOptions withStop(List<String> texts) {
    return new GenerationOptions(maxTokens, sampling, texts);
  }
}
