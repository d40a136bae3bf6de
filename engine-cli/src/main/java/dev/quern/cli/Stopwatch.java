package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Measures a loaded model: rates of prompts and of decoding, each repeated when it is warm. */
final class Stopwatch {
  private final LanguageModel model;
  private final Backend backend;
  private final int repeat;
  private final WarmUp warmUp;

  Stopwatch(LanguageModel model, Backend backend, int repeat, WarmUp warmUp) {
    this.model = model;
    this.backend = backend;
    this.repeat = repeat;
    this.warmUp = warmUp;
  }

  /**
   * Decoding rates.
   *
   * @param rates tokens of all sequences together per second
   * @param weightBytes bytes of weights that a step reads
   */
  record Decoded(Rates rates, long weightBytes) {}

  /** Seconds to the first token after a prompt, once. */
  double firstToken(int tokens) {
    long start = System.nanoTime();
    try (Session session = model.newSession()) {
      session.append(tokens(tokens));
      session.generate(GenerationOptions.greedy(1), text -> {});
    }
    return (System.nanoTime() - start) * 1e-9;
  }

  /** Rate at which a prompt is read, the first token included. */
  Rates prompt(int tokens) {
    try (Session session = model.newSession()) {
      return repeated(() -> {
        session.replace(new int[0]);
        session.append(tokens(tokens));
        return session.generate(GenerationOptions.greedy(1), text -> {}).promptRate();
      });
    }
  }

  /** Rate at which {@code sequences} sequences, each of {@code depth} tokens, grow together. */
  Decoded decode(int tokens, int depth, int sequences) {
    List<Session> sessions = Stream.generate(model::newSession).limit(sequences).toList();
    try {
      Rates rates =
          repeated(
              sequences == 1
                  ? () -> alone(sessions.getFirst(), tokens, depth)
                  : () -> together(sessions, tokens, depth));
      return new Decoded(rates, weightBytes(sessions, depth));
    } finally {
      sessions.forEach(Session::close);
    }
  }

  /** Bytes of weights of one step of all sequences. */
  private long weightBytes(List<Session> sessions, int depth) {
    int[] next = begin(sessions, depth);
    long before = backend.statistics().weightBytesRead();
    model.step(sessions, next);
    return backend.statistics().weightBytesRead() - before;
  }

  /** The first step after that many tokens. */
  private int[] begin(List<Session> sessions, int depth) {
    int[] prefix = tokens(Math.max(1, depth));
    sessions.forEach(session -> session.replace(prefix));
    return model.step(sessions, tokens(sessions.size()));
  }

  private double alone(Session session, int tokens, int depth) {
    session.replace(tokens(Math.max(1, depth)));
    return session.generate(GenerationOptions.greedy(tokens + 1), text -> {}).decodeRate();
  }

  private double together(List<Session> sessions, int tokens, int depth) {
    int[] next = begin(sessions, depth);
    long start = System.nanoTime();
    for (int step = 0; step < tokens; step++) {
      next = model.step(sessions, next);
    }
    return sessions.size() * tokens * 1e9 / (System.nanoTime() - start);
  }

  private Rates repeated(DoubleSupplier measure) {
    warmUp.run(() -> {
      double _ = measure.getAsDouble();
    });
    List<Double> rates = new ArrayList<>();
    IntStream.range(0, repeat).forEach(i -> rates.add(measure.getAsDouble()));
    return Rates.of(rates);
  }

  private int[] tokens(int count) {
    return new SplittableRandom(count).ints(count, 0, model.vocabulary()).toArray();
  }
}
