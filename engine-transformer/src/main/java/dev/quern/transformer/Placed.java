package dev.quern.transformer;

import dev.quern.core.Backend;
import java.lang.foreign.Arena;

/**
 * What a model has on one backend.
 *
 * @param backend where it is
 * @param owned whether the backend is closed with this
 * @param arena what was computed on the host, which a backend may use in place
 * @param weights the adopted weights
 * @param pool keys and values of its sessions
 * @param decoder what runs its steps
 */
record Placed(
    Backend backend, boolean owned, Arena arena, Weights weights, KvPool pool, Decoder decoder)
    implements AutoCloseable {

  /**
   * Brings a model to a backend; if that fails, nothing of it stays there.
   *
   * @throws ModelException if its numbers are none that an operation can be made with
   */
  static Placed on(
      Backend backend, boolean owned, ModelSource source, ModelConfig config, LoadOptions options) {
    Arena arena = Arena.ofShared();
    Weights weights = new Weights(source, backend, options.progress(), arena);
    KvPool pool = null;
    try {
      SelfAttention.check(weights, config);
      LoadOptions fitting = new Rehearsal(source, config, options).announce(backend);
      int context = context(config, options);
      pool = new KvPool(backend, config, options.sequences(), context, options.kvFormat());
      Network network = new Network(config, weights, pool, arena);
      int chunk = Math.min(fitting.chunk(), context);
      Decoder decoder = new Decoder(backend, options.compile(), network, chunk);
      return new Placed(backend, owned, arena, weights, pool, decoder);
    } catch (RuntimeException | Error e) {
      if (pool != null) {
        pool.close();
      }
      weights.close();
      if (owned) {
        backend.close();
      }
      arena.close();
      if (e instanceof IllegalArgumentException || e instanceof ArithmeticException) {
        throw ModelException.numbers(source.name(), (RuntimeException) e);
      }
      throw e;
    }
  }

  /** Positions that a sequence can hold. */
  static int context(ModelConfig config, LoadOptions options) {
    return options.context() > 0
        ? options.context()
        : Math.min(config.context(), LoadOptions.DEFAULT_CONTEXT);
  }

  @Override
  public void close() {
    decoder.close();
    pool.close();
    weights.close();
    if (owned) {
      backend.close();
    }
    arena.close();
  }
}
