package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.hybrid.HybridBackend;
import dev.quern.core.plan.MemoryPlan;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;

/**
 * What a model will ask of a backend, done in dry runs before anything is loaded: its weights, its
 * cache, and the batches for a prompt of any length and for decoding.
 *
 * @param source the model
 * @param config its numbers
 * @param options how it is to be loaded
 */
record Rehearsal(ModelSource source, ModelConfig config, LoadOptions options) {
  private static final System.Logger LOG = System.getLogger(Rehearsal.class.getName());

  /**
   * Tells the backend what is to come.
   *
   * @return how the model is to be loaded: with shorter chunks of prompts where their scratch
   *     memory does not fit, which is logged
   * @throws InsufficientMemoryException if the model does not fit even so; it has the plan of this
   *     least that the model takes, and how many layers would fit
   */
  LoadOptions announce(Backend backend) {
    LoadOptions wanted = options.withChunk(Math.min(options.chunk(), context()));
    for (LoadOptions now = wanted; ; now = now.withChunk(now.chunk() / 2)) {
      LoadOptions tried = now;
      try {
        if (backend.prepare(trial -> perform(trial, tried))) {
          log(backend, wanted, now);
          return now;
        }
        if (now.chunk() == 1) {
          // Shorter chunks do not help: it makes do as well with what was wanted.
          boolean _ = backend.prepare(trial -> perform(trial, wanted));
          return wanted;
        }
      } catch (InsufficientMemoryException e) {
        if (now.chunk() == 1) {
          throw e.plan()
              .filter(plan -> plan.resident(MemoryPlan.Kind.SCRATCH) > 0)
              .map(plan -> plan.withLayers(layers(backend, wanted)).refused(e))
              .orElse(e);
        }
      }
    }
  }

  /** How many layers a backend has room for where it has none for all. */
  private MemoryPlan.Layers layers(Backend backend, LoadOptions wanted) {
    for (LoadOptions now = wanted; ; now = now.withChunk(now.chunk() / 2)) {
      LoadOptions tried = now;
      MemoryPlan.Layers found =
          HybridBackend.layersThatFit(backend, trial -> perform(trial, tried));
      if (found.fit() > 0 || now.chunk() == 1) {
        return found;
      }
    }
  }

  private static void log(Backend backend, LoadOptions wanted, LoadOptions chosen) {
    if (chosen.chunk() < wanted.chunk()) {
      LOG.log(
          Level.INFO,
          "{0}: prompts run in chunks of {1} tokens, as scratch memory for {2} does not fit",
          backend.name(),
          chosen.chunk(),
          wanted.chunk());
    }
  }

  /** What the model takes, and whether it fits. */
  MemoryPlan plan(Backend backend) {
    try {
      LoadOptions chosen = announce(backend);
      return MemoryPlan.of(backend, trial -> perform(trial, chosen));
    } catch (InsufficientMemoryException e) {
      return e.plan().orElseGet(() -> MemoryPlan.of(backend, trial -> perform(trial, options)));
    }
  }

  private int context() {
    return Placed.context(config, options);
  }

  private void perform(Backend trial, LoadOptions with) {
    try (Arena arena = Arena.ofShared();
        Weights weights = new Weights(source, trial, LoadOptions.Progress.NONE, arena);
        KvPool pool = new KvPool(trial, config, with.sequences(), context(), with.kvFormat())) {
      Network network = new Network(config, weights, pool, arena);
      try (Decoder decoder =
          new Decoder(trial, with.compile(), network, Math.min(with.chunk(), context()))) {
        decoder.compileFor(with.sequences());
      }
    }
  }
}
