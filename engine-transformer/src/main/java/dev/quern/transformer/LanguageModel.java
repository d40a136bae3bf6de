package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
 * <p>Thread-safe; steps of all sessions run one after another. Close it before its backend.
 */
public final class LanguageModel implements AutoCloseable {
  private final ModelSource source;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private final Arena arena;
  private final Weights weights;
  private final KvPool pool;
  private final Decoder decoder;
  private final Backend backend;

  private LanguageModel(
      ModelSource source,
      ModelConfig config,
      Tokenizer tokenizer,
      Arena arena,
      Weights weights,
      KvPool pool,
      Decoder decoder,
      Backend backend) {
    this.backend = backend;
    this.source = source;
    this.config = config;
    this.tokenizer = tokenizer;
    this.arena = arena;
    this.weights = weights;
    this.pool = pool;
    this.decoder = decoder;
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
    Arena arena = Arena.ofShared();
    Weights weights = new Weights(source, backend, options.progress(), arena);
    KvPool pool = null;
    try {
      ModelConfig config = Families.config(source);
      Tokenizer tokenizer = Tokenizers.from(source.metadata());
      int context =
          options.context() > 0
              ? options.context()
              : Math.min(config.context(), LoadOptions.DEFAULT_CONTEXT);
      pool = new KvPool(backend, config, options.sequences(), context, options.kvFormat());
      Network network = new Network(config, weights, pool, arena);
      int chunk = Math.min(options.chunk(), context);
      Decoder decoder = new Decoder(backend, options.compile(), network, chunk);
      return new LanguageModel(source, config, tokenizer, arena, weights, pool, decoder, backend);
    } catch (RuntimeException | Error e) {
      if (pool != null) {
        pool.close();
      }
      weights.close();
      arena.close();
      source.close();
      throw e;
    }
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
    return pool.context();
  }

  /** Tokens in the vocabulary of the output. */
  public int vocabulary() {
    return decoder.vocabulary();
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
   * @throws ModelException if as many sessions are open as the model was loaded for
   */
  public Session newSession(List<LoraAdapter> adapters) {
    return new Session(this, decoder, pool, pool.acquire(), adapters);
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
      return new LoraAdapter(lora, source, backend, weight, decoder::forget);
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
    return forwardHiddenBatch(List.of(tokens), List.of()).getFirst();
  }

  /**
   * The states after the final norm of several sequences, whatever their lengths: their tokens run
   * together as rows of the same steps, so that a step reads each weight once for all. Needs free
   * sessions while it runs; with fewer than sequences, these take turns.
   *
   * <pre>{@code
   * List<float[][]> states = model.forwardHiddenBatch(List.of(first, second), List.of());
   * }</pre>
   *
   * @return for each sequence {@code [tokens][hidden]}
   * @throws ModelException if no session is free, the context cannot hold a sequence, or a token is
   *     not in the vocabulary
   */
  public List<float[][]> forwardHiddenBatch(List<int[]> sequences, List<LoraAdapter> adapters) {
    return new HiddenPass(this, decoder, pool, adapters).run(sequences);
  }

  /**
   * One vector for each text, pooled from the states of its tokens. Begin tokens are added as the
   * file says; vectors are not normalised.
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
   * session i with {@code tokens[i]}.
   *
   * @return the most likely next token of each session
   * @throws ModelException if a session's context is full
   */
  public int[] step(List<Session> sessions, int[] tokens) {
    return Session.step(decoder, sessions, tokens, 1)[0];
  }

  /**
   * Runs several greedy steps of several sessions together, without waiting between them.
   *
   * @return the most likely next tokens, step by step, session by session; those of the last step
   *     are not part of the histories yet
   * @throws ModelException if a session's context cannot hold the steps, a session is there twice,
   *     or their adapters differ
   */
  public int[][] steps(List<Session> sessions, int[] tokens, int count) {
    return Session.step(decoder, sessions, tokens, count);
  }

  /** What the backend made of the decode batch and the prompt batch. */
  public String explain() {
    return decoder.explain();
  }

  @Override
  public void close() {
    decoder.close();
    pool.close();
    weights.close();
    arena.close();
    source.close();
  }
}
