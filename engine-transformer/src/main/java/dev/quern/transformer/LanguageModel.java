package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A language model on a backend: weights, tokenizer, and the cache that its sessions share.
 *
 * <pre>{@code
 * try (Backend backend = Backends.best();
 *     LanguageModel model = LanguageModel.load(Path.of("model.gguf"), backend);
 *     Session session = model.newSession()) {
 *   Generation g =
 *       session.generate("Once upon a time", GenerationOptions.greedy(64), System.out::print);
 * }
 * }</pre>
 *
 * <p>Thread-safe; steps of all sessions run one after another. Close it before its backend. When a
 * backend fails, the step ends in a {@link dev.quern.core.BackendException} and the sessions stay
 * usable: what they had in the cache is computed again.
 */
public final class LanguageModel implements AutoCloseable {
  private final ModelSource source;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private final Runner runner;
  private final Sequences sequences;
  private final Limits limits;

  /**
   * What a step can hold.
   *
   * @param context positions of a sequence
   * @param chunk rows of a step
   * @param vocabulary tokens of the output
   */
  record Limits(int context, int chunk, int vocabulary) {}

  private LanguageModel(
      ModelSource source, ModelConfig config, Tokenizer tokenizer, Runner runner, int sequences) {
    this.source = source;
    this.config = config;
    this.tokenizer = tokenizer;
    this.runner = runner;
    this.sequences = new Sequences(sequences);
    this.limits =
        runner.run(placed ->
            new Limits(
                placed.pool().context(), placed.decoder().chunk(), placed.decoder().vocabulary()));
  }

  /** Loads a GGUF file with {@link LoadOptions#fast}. */
  public static LanguageModel load(Path file, Backend backend) throws IOException {
    return load(file, backend, LoadOptions.fast());
  }

  /**
   * Loads a GGUF file.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.quern.gguf.GgufException if it is not a valid GGUF file; names the byte and the
   *     rule
   * @throws ModelException if its family, tokenizer or tensors are not what Quern computes
   * @throws dev.quern.core.BackendException if the backend has no room
   */
  public static LanguageModel load(Path file, Backend backend, LoadOptions options)
      throws IOException {
    return load(ModelSource.of(GgufFile.open(file)), backend, options);
  }

  /** Loads a model from elsewhere. The source is closed with the model, or when loading fails. */
  public static LanguageModel load(ModelSource source, Backend backend, LoadOptions options) {
    return load(source, options, config -> new Runner(source, config, options, backend));
  }

  /**
   * Loads a model onto the first candidate that can be opened and takes it; the model owns its
   * backend. When a step fails there, the model moves to the next candidate, the step is run again,
   * and the reason is logged. Of {@link Backends#candidates} a backend chosen by name is the only
   * one, so it is never replaced.
   *
   * <pre>{@code
   * var candidates = Backends.candidates("auto", OpenOptions.defaults());
   * try (LanguageModel model = LanguageModel.load(source, candidates, LoadOptions.fast())) { … }
   * }</pre>
   *
   * @param candidates at least one, tried in this order
   * @throws dev.quern.core.BackendException that of the last candidate, if none can
   */
  public static LanguageModel load(
      ModelSource source, List<Backends.Candidate> candidates, LoadOptions options) {
    return load(source, options, config -> new Runner(source, config, options, candidates));
  }

  /**
   * What a model would take of the memory of a backend: weights, cache, buffers, and the scratch
   * memory of the batches for prompts and for decoding. Nothing is loaded.
   *
   * @param source stays open
   */
  public static MemoryPlan plan(ModelSource source, Backend backend, LoadOptions options) {
    return new Rehearsal(source, Families.config(source), options).plan(backend);
  }

  private static LanguageModel load(
      ModelSource source, LoadOptions options, Function<ModelConfig, Runner> start) {
    try {
      ModelConfig config = Families.config(source);
      Tokenizer tokenizer = Tokenizers.from(source.metadata());
      Runner runner = start.apply(config);
      return new LanguageModel(source, config, tokenizer, runner, options.sequences());
    } catch (RuntimeException | Error e) {
      source.close();
      throw e;
    }
  }

  /** Where the model runs now. */
  public Backend backend() {
    return runner.backend();
  }

  /** The model's numbers. */
  public ModelConfig config() {
    return config;
  }

  /** The model's tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** What the file says about the model. */
  public GgufMetadata metadata() {
    return source.metadata();
  }

  /** Positions that a session can hold. */
  public int context() {
    return limits.context();
  }

  /** Tokens in the vocabulary of the output. */
  public int vocabulary() {
    return limits.vocabulary();
  }

  /**
   * The file's chat template, if it has one.
   *
   * @throws ChatTemplateException if it is malformed, or no provider of chat templates is present
   */
  public Optional<ChatTemplate> chatTemplate() {
    return source
        .metadata()
        .findString("tokenizer.chat_template")
        .map(template -> ChatTemplate.compile(template, specialTokens()));
  }

  private Map<String, String> specialTokens() {
    Map<String, String> tokens = new HashMap<>();
    tokenizer.bos().ifPresent(token -> tokens.put("bos_token", tokenizer.text(token)));
    tokenizer.eos().ifPresent(token -> tokens.put("eos_token", tokenizer.text(token)));
    return tokens;
  }

  /**
   * Opens a session.
   *
   * @throws ModelException if as many sessions are open as the model was loaded for
   */
  public Session newSession() {
    return newSession(List.of());
  }

  /**
   * Opens a session that runs with adapters, which add up.
   *
   * @throws ModelException if as many sessions are open as the model was loaded for, or an adapter
   *     is closed or was loaded beside another model
   */
  public Session newSession(List<LoraAdapter> adapters) {
    adapters.forEach(adapter -> adapter.requireUsable(runner));
    return new Session(this, runner, sequences.acquire(), adapters);
  }

  /**
   * Loads a LoRA adapter beside the model: a GGUF file, or PEFT safetensors.
   *
   * <pre>{@code
   * try (LoraAdapter style = model.loadAdapter(Path.of("style.gguf"), 1);
   *     Session session = model.newSession(List.of(style))) {
   *   session.generate("Once upon a time", GenerationOptions.greedy(64), System.out::print);
   * }
   * }</pre>
   *
   * @param weight how much of it is added; 1 for what it was trained for
   * @throws IOException if the file cannot be read
   * @throws ModelException if it is not an adapter of this model
   */
  public LoraAdapter loadAdapter(Path file, float weight) throws IOException {
    Lora lora = Lora.read(file, source.metadata());
    try {
      return new LoraAdapter(lora, source, runner, weight);
    } catch (RuntimeException | Error e) {
      lora.close();
      throw e;
    }
  }

  /**
   * The states after the final norm, {@code [tokens][hidden]}. Needs a free session while it runs.
   *
   * @throws ModelException if no session is free, the context cannot hold the tokens, or one is not
   *     in the vocabulary
   */
  public float[][] forwardHidden(int[] tokens) {
    return forwardHiddenBatch(List.of(tokens)).getFirst();
  }

  /**
   * The states after the final norm of several sequences, whatever their lengths: their tokens run
   * together as rows of the same steps, so that a step reads each weight once for all. Needs free
   * sessions while it runs; with fewer than sequences, these take turns.
   *
   * <pre>{@code
   * List<float[][]> states = model.forwardHiddenBatch(List.of(first, second));
   * }</pre>
   *
   * @return for each sequence {@code [tokens][hidden]}
   * @throws ModelException if no session is free, the context cannot hold a sequence, or a token is
   *     not in the vocabulary
   */
  public List<float[][]> forwardHiddenBatch(List<int[]> tokens) {
    return forwardHiddenBatch(tokens, List.of());
  }

  /**
   * Likewise with adapters, which add up.
   *
   * @throws ModelException likewise, or if an adapter is closed or was loaded beside another model
   */
  public List<float[][]> forwardHiddenBatch(List<int[]> tokens, List<LoraAdapter> adapters) {
    return forwardHiddenBatchOfEach(tokens, Collections.nCopies(tokens.size(), adapters));
  }

  /**
   * Likewise with adapters of its own for each sequence, none for some perhaps: they run together
   * all the same.
   *
   * @param adapters for each sequence those that it runs with
   * @throws ModelException likewise, or if there are not as many lists of adapters as sequences
   */
  public List<float[][]> forwardHiddenBatchOfEach(
      List<int[]> tokens, List<List<LoraAdapter>> adapters) {
    return new HiddenPass(this, runner).run(tokens, adapters);
  }

  /**
   * How the file says that a text's states become its vector: key {@code pooling_type}, the mean
   * where it does not say.
   *
   * @throws ModelException if it asks for another way than those of {@link Pooling}
   */
  public Pooling pooling() {
    return Pooling.of(source.metadata());
  }

  /**
   * One vector for each text, pooled from the states of its tokens. Begin tokens are added as the
   * file says, and end tokens too; vectors are not normalised.
   *
   * <pre>{@code
   * List<float[]> vectors = model.embed(List.of("an owl", "a fox"), Pooling.MEAN);
   * }</pre>
   *
   * @throws ModelException as {@link #forwardHiddenBatch}, or if a text has no tokens
   */
  public List<float[]> embed(List<String> texts, Pooling pooling) {
    return embed(texts, pooling, List.of());
  }

  /** Likewise with adapters, which add up. */
  public List<float[]> embed(List<String> texts, Pooling pooling, List<LoraAdapter> adapters) {
    List<int[]> tokens = texts.stream().map(text -> tokenizer.encode(text, true, true)).toList();
    return forwardHiddenBatch(tokens, adapters).stream().map(pooling::of).toList();
  }

  /**
   * Runs one greedy step of several sessions together: each weight is read once. Row i continues
   * session i with {@code tokens[i]}, and with the adapters of that session.
   *
   * @return the most likely next token of each session
   * @throws ModelException if a session's context is full
   */
  public int[] step(List<Session> sessions, int[] tokens) {
    return steps(sessions, tokens, 1)[0];
  }

  /**
   * Runs several greedy steps of several sessions together, without waiting between them.
   *
   * @return the most likely next tokens, step by step, session by session; those of the last step
   *     are not part of the histories yet
   * @throws ModelException if a session's context cannot hold the steps, or a session is there
   *     twice
   */
  public int[][] steps(List<Session> sessions, int[] tokens, int count) {
    return together(sessions).greedy(tokens, count);
  }

  Limits limits() {
    return limits;
  }

  Sequences sequences() {
    return sequences;
  }

  /**
   * Runs one step of several sessions together, as {@link #step}, for a sampler of the caller's.
   *
   * @return the logits after each session's token
   * @throws ModelException as {@link #steps}
   */
  public float[][] stepLogits(List<Session> sessions, int[] tokens) {
    return together(sessions).logits(tokens);
  }

  private Together together(List<Session> sessions) {
    return new Together(runner, limits.chunk(), sessions);
  }

  /** What the backend made of the decode batch and the prompt batch. */
  public String explain() {
    return runner.run(placed -> placed.decoder().explain());
  }

  @Override
  public void close() {
    runner.close();
    source.close();
  }
}
