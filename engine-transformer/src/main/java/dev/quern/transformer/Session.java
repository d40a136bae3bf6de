package dev.quern.transformer;

import dev.quern.core.StepTime;
import dev.quern.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One sequence of tokens: what was said so far, and the cached keys and values of most of it.
 *
 * <p>A session remembers; a second {@link #generate} continues the first. Use it from one thread at
 * a time; {@link #cancel} may be called from any.
 */
public final class Session implements AutoCloseable {
  /** Up to this many candidates are taken from the device; beyond, all logits are. */
  private static final int MAX_DEVICE_CANDIDATES = 128;

  /** Run-ahead may delay the text of a token by about this long. */
  private static final long RUN_AHEAD_NANOS = 20_000_000;

  private final LanguageModel model;
  private final Runner runner;
  private final int sequence;
  private final List<LoraAdapter> adapters;
  private final List<Integer> history = new ArrayList<>();

  /** How many tokens of the history are in the cache, as far as {@link #epoch} is still now. */
  private int cached;

  private long epoch;

  private volatile boolean cancelled;
  private boolean closed;

  Session(LanguageModel model, Runner runner, int sequence, List<LoraAdapter> adapters) {
    this.adapters = List.copyOf(adapters);
    this.model = model;
    this.runner = runner;
    this.sequence = sequence;
  }

  /** The tokens so far, prompts and generated. */
  public List<Integer> history() {
    return List.copyOf(history);
  }

  /**
   * Adds the tokens of a text: special tokens in it are parsed, and at the start of a session the
   * file's begin token is added where it says so.
   *
   * @throws ModelException if the context cannot hold them
   */
  public void append(String text) {
    append(model.tokenizer().encode(text, history.isEmpty(), true));
  }

  /**
   * Adds tokens, to be run with the next generation.
   *
   * @throws ModelException if the context cannot hold them, or one is not in the vocabulary
   */
  public void append(int[] tokens) {
    requireRoom(history.size(), tokens.length);
    requireKnown(tokens);
    for (int token : tokens) {
      history.add(token);
    }
  }

  /**
   * Replaces the history. What the old and the new one share at the start stays in the cache.
   *
   * @throws ModelException as {@link #append(int[])}
   */
  public void replace(int[] tokens) {
    requireRoom(0, tokens.length);
    requireKnown(tokens);
    int shared = 0;
    while (shared < Math.min(tokens.length, history.size())
        && history.get(shared) == tokens[shared]) {
      shared++;
    }
    history.clear();
    for (int token : tokens) {
      history.add(token);
    }
    cached = Math.min(cached, shared);
  }

  /** {@link #append(String)}, then {@link #generate(GenerationOptions, Consumer)}. */
  public Generation generate(String prompt, GenerationOptions options, Consumer<String> sink) {
    append(prompt);
    return generate(options, sink);
  }

  /**
   * Generates from the history on.
   *
   * @param sink receives the text as it comes, in whole characters
   * @throws ModelException if the history is empty
   */
  public Generation generate(GenerationOptions options, Consumer<String> sink) {
    requireOpen();
    if (history.isEmpty()) {
      throw new ModelException(
          "generate: a session must have at least one token but has none; append a prompt");
    }
    cancelled = false;
    return new Run(options, sink).run();
  }

  /**
   * Appends tokens and answers the logits after each of them.
   *
   * @param sink receives the logits of one position after another; the array is its own
   */
  public void logits(int[] tokens, Consumer<float[]> sink) {
    requireOpen();
    step(this::feed);
    append(tokens);
    int done = history.size() - tokens.length;
    while (done < history.size()) {
      int from = done;
      float[][] some = step(placed -> logits(placed, from));
      for (float[] logits : some) {
        sink.accept(logits);
      }
      done += some.length;
    }
  }

  /** The logits after tokens from {@code from} on, as many as a step has. */
  private float[][] logits(Placed placed, int from) {
    feed(placed, from);
    int most = Math.min(Decoder.LOGIT_ROWS, placed.decoder().chunk());
    int count = Math.min(most, history.size() - from);
    int[] every = new int[count];
    for (int row = 0; row < count; row++) {
      every[row] = row;
    }
    float[][] logits = placed.decoder().logits(rows(count), every);
    cached += count;
    return logits;
  }

  /**
   * Runs the last tokens of the history as one greedy step, each part of it alone, and answers how
   * long each took. Nothing is generated and the history stays.
   *
   * @param rows how many tokens; 1 for a decode step
   * @throws ModelException if the history has fewer tokens, or a step has not so many rows
   */
  public List<StepTime> profileStep(int rows) {
    requireOpen();
    return step(placed -> profileStep(placed, rows));
  }

  private List<StepTime> profileStep(Placed placed, int rows) {
    int most = Math.min(placed.decoder().chunk(), history.size());
    if (rows < 1 || rows > most) {
      throw new ModelException(
          "profile: rows must be between 1 and %d but are %d".formatted(most, rows));
    }
    int before = history.size() - rows;
    cached = Math.min(cached, before);
    feed(placed, before);
    return placed.decoder().profile(rows(rows));
  }

  /** Ends a running generation after the current step, as an interrupt of its thread does. */
  public void cancel() {
    cancelled = true;
  }

  /** Gives the sequence back to the model. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      model.sequences().release(sequence);
    }
  }

  /**
   * Opens another session that goes on from here: it has the history, the adapters, and a copy of
   * what is in the cache, so that nothing is computed again.
   *
   * @throws ModelException if as many sessions are open as the model was loaded for
   */
  public Session fork() {
    requireOpen();
    Session fork = model.newSession(adapters);
    fork.history.addAll(history);
    try {
      runner.run(
          now -> {
            sync(now);
            fork.sync(now);
          },
          placed -> {
            placed.pool().copy(sequence, fork.sequence, cached);
            fork.cached = cached;
            return fork;
          });
    } catch (RuntimeException | Error e) {
      fork.close();
      throw e;
    }
    return fork;
  }

  // ---- for steps of several sessions

  Runner runner() {
    return runner;
  }

  int sequence() {
    return sequence;
  }

  /** The position of the next row: how many tokens of the history are in the cache. */
  int cached() {
    return cached;
  }

  List<LoraAdapter> adapters() {
    return adapters;
  }

  /** Takes note of a token that a step brought into the cache. */
  void saw(int token) {
    history.add(token);
    cached++;
  }

  /**
   * Checks that this session can take part in a step.
   *
   * @throws ModelException if it is closed, or its context is full
   */
  void requireReady(int steps) {
    requireOpen();
    requireRoom(history.size(), steps);
  }

  /** Forgets what is in the cache if a failure since may have damaged it. */
  void sync(long now) {
    cached = now == epoch ? cached : 0;
    epoch = now;
  }

  private <T> T step(Function<Placed, T> step) {
    return runner.run(this::sync, step);
  }

  /** Brings the whole history into the cache. */
  Placed feed(Placed placed) {
    feed(placed, history.size());
    return placed;
  }

  /** Brings the first {@code until} tokens of the history into the cache. */
  private void feed(Placed placed, int until) {
    while (cached < until) {
      int count = Math.min(placed.decoder().chunk(), until - cached);
      placed.decoder().feed(rows(count));
      cached += count;
    }
  }

  /** The next {@code count} tokens that are not in the cache. */
  private Rows rows(int count) {
    int[] tokens = new int[count];
    for (int row = 0; row < count; row++) {
      tokens[row] = history.get(cached + row);
    }
    return Rows.of(sequence, cached, tokens, 0, count, adapters);
  }

  private void requireOpen() {
    if (closed) {
      throw new ModelException("session: must be open to be used but is closed");
    }
  }

  private void requireRoom(int used, int more) {
    if (more > model.context() - used) {
      throw new ModelException(
          "prompt: tokens must fit the context of %d but %d are there and %d more come; use a larger"
                  .formatted(model.context(), used, more)
              + " context or a new session");
    }
  }

  void requireKnown(int[] tokens) {
    for (int token : tokens) {
      if (token < 0 || token >= model.vocabulary()) {
        throw new ModelException(
            "token: must be between 0 and %d but is %d".formatted(model.vocabulary() - 1, token));
      }
    }
  }

  /** What a step computes from one of its rows. */
  @FunctionalInterface
  private interface Head<T> {
    T run(Rows rows, int row);
  }

  /** One generation. */
  private final class Run {
    private final GenerationOptions options;
    private final TextStream text;
    private final Sampler sampler;
    private final List<Integer> generated = new ArrayList<>();
    private final int limit;
    private final Tokenizer tokenizer = model.tokenizer();
    private Generation.End end = Generation.End.MAX_TOKENS;

    Run(GenerationOptions options, Consumer<String> sink) {
      this.options = options;
      this.text = new TextStream(tokenizer, history.getLast(), options.stop(), sink);
      this.sampler = new Sampler(options.sampling());
      this.limit = options.maxTokens() == 0 ? Integer.MAX_VALUE : options.maxTokens();
    }

    Generation run() {
      cached = Math.min(cached, history.size() - 1);
      int prompt = history.size() - cached;
      long start = System.nanoTime();
      boolean more = !stopped() && feedPrompt() && take(next());
      long first = System.nanoTime();
      long stepNanos = 0;
      while (more) {
        long before = System.nanoTime();
        int steps = options.sampling().isArgMax() ? runAhead(stepNanos) : 1;
        more = steps == 1 ? take(next()) : takeAll(steps);
        stepNanos = (System.nanoTime() - before) / steps;
      }
      long done = System.nanoTime();
      text.finish();
      return new Generation(text.passed(), generated, end, prompt, first - start, done - first);
    }

    /** All but the last chunk of the history; false if cancelled on the way. */
    private boolean feedPrompt() {
      int chunk = model.limits().chunk();
      while (history.size() - cached > chunk) {
        step(placed -> {
          feed(placed, cached + chunk);
          return placed;
        });
        if (stopped()) {
          return false;
        }
      }
      return true;
    }

    /** Runs what is not in the cache, and draws the next token. */
    private int next() {
      Sampling sampling = options.sampling();
      if (sampling.isArgMax()) {
        return step(placed -> last(placed, placed.decoder()::greedy));
      }
      if (sampling.repeatPenalty() == 1
          && sampling.topK() > 0
          && sampling.topK() <= Math.min(MAX_DEVICE_CANDIDATES, model.vocabulary())) {
        return sampler.draw(
            step(placed ->
                last(placed, (rows, row) -> placed.decoder().largest(rows, row, sampling.topK()))));
      }
      float[] logits =
          step(placed ->
              last(placed, (rows, row) -> placed.decoder().logits(rows, new int[] {row})[0]));
      sampler.penalise(logits, recent());
      return sampler.draw(Sampler.Candidates.of(logits));
    }

    /** Runs what is not in the cache, and a head on the last row. */
    private <T> T last(Placed placed, Head<T> head) {
      feed(placed, history.size() - placed.decoder().chunk());
      int count = history.size() - cached;
      T result = head.run(rows(count), count - 1);
      cached += count;
      return result;
    }

    private int[] recent() {
      int from = Math.max(0, history.size() - Sampling.REPEAT_WINDOW);
      return history.subList(from, history.size()).stream().mapToInt(i -> i).toArray();
    }

    /** How many steps may run before their tokens are looked at. */
    private int runAhead(long stepNanos) {
      long room = Math.min(limit - generated.size(), model.context() - history.size() + 1);
      long quick = stepNanos == 0 ? 1 : RUN_AHEAD_NANOS / Math.max(1, stepNanos);
      return (int) Math.max(1, Math.min(Decoder.RUN_AHEAD, Math.min(room, quick)));
    }

    /** Runs several greedy steps and takes their tokens; what follows an end is forgotten. */
    private boolean takeAll(int steps) {
      int[][] tokens =
          step(placed -> {
            feed(placed, history.size() - 1);
            return placed.decoder().greedyRun(rows(1), steps);
          });
      for (int[] token : tokens) {
        cached++;
        if (!take(token[0])) {
          return false;
        }
      }
      return true;
    }

    /** Takes a generated token; false if the generation ends with it. */
    private boolean take(int token) {
      boolean full = history.size() == model.context();
      generated.add(token);
      if (tokenizer.isEndOfGeneration(token)) {
        end = Generation.End.END_OF_TEXT;
      } else {
        text.accept(token);
        end = text.stopped() ? Generation.End.STOP_TEXT : full ? Generation.End.CONTEXT_FULL : end;
      }
      if (!full) {
        history.add(token);
      }
      boolean ended = end != Generation.End.MAX_TOKENS;
      return !ended && generated.size() < limit && !stopped();
    }

    private boolean stopped() {
      if (cancelled || Thread.currentThread().isInterrupted()) {
        end = Generation.End.CANCELLED;
        return true;
      }
      return false;
    }
  }
}
