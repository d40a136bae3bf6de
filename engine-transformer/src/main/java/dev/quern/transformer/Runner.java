package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Backends;
import dev.quern.core.event.FallbackEvent;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;

/**
 * Runs the steps of a model, one after another, and on the next backend when one fails and there is
 * a next.
 *
 * <p>A device that failed may have lost any part of any step before, so after a failure nothing in
 * the cache is trusted: the <em>epoch</em> grows, and whoever remembers another epoch brings its
 * tokens into the cache again.
 */
final class Runner implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Runner.class.getName());

  private final ModelSource source;
  private final ModelConfig config;
  private final LoadOptions options;
  private final Deque<Backends.Candidate> next;
  private final Set<LoraAdapter> adapters = new LinkedHashSet<>();
  private Placed placed;
  private long epoch;

  /** Runs on a backend of the caller's, and on no other. */
  Runner(ModelSource source, ModelConfig config, LoadOptions options, Backend backend) {
    this.source = source;
    this.config = config;
    this.options = options;
    next = new ArrayDeque<>();
    placed = Placed.on(backend, false, source, config, options);
  }

  /**
   * Runs on the first candidate that can be opened and takes the model.
   *
   * @throws BackendException that of the last candidate, if none can
   */
  Runner(
      ModelSource source,
      ModelConfig config,
      LoadOptions options,
      List<Backends.Candidate> candidates) {
    this.source = source;
    this.config = config;
    this.options = options;
    next = new ArrayDeque<>(candidates);
    while (true) {
      Backends.Candidate candidate = next.removeFirst();
      try {
        placed = place(candidate);
        return;
      } catch (BackendException e) {
        if (next.isEmpty()) {
          throw e;
        }
        passOver(candidate, e);
      }
    }
  }

  private Placed place(Backends.Candidate candidate) {
    return Placed.on(candidate.open(), true, source, config, options);
  }

  /** Where the model is now. */
  synchronized Backend backend() {
    return placed.backend();
  }

  /**
   * Runs a step. If the backend fails, the model moves to the next one and the step is run again;
   * where there is none, the step fails, and may be tried again.
   *
   * @param sync told the epoch before each try
   * @param step runs while no other step does; from its start if it is run again
   * @throws BackendException if the step failed and there is no other backend
   */
  synchronized <T> T run(LongConsumer sync, Function<Placed, T> step) {
    while (true) {
      sync.accept(epoch);
      try {
        return step.apply(placed);
      } catch (BackendException e) {
        epoch++;
        moveOn(e);
      }
    }
  }

  /** Runs what does not depend on the cache. */
  <T> T run(Function<Placed, T> step) {
    return run(ignored -> {}, step);
  }

  private void passOver(Backends.Candidate candidate, BackendException refusal) {
    LOG.log(
        Level.WARNING,
        "{0} cannot run the model, the next backend is tried: {1}",
        candidate.name(),
        refusal.getMessage());
    FallbackEvent.record(
        candidate.name(), "the next backend", String.valueOf(refusal.getMessage()));
    skipAfter(refusal);
  }

  /** A hybrid of the backend that failed is of no use unless that one had no room. */
  private void skipAfter(BackendException failure) {
    if (next.size() > 1 && !next.getFirst().helpsAfter(failure)) {
      next.removeFirst();
    }
  }

  private void moveOn(BackendException failure) {
    skipAfter(failure);
    while (!next.isEmpty()) {
      Backends.Candidate candidate = next.removeFirst();
      try {
        move(candidate, failure);
        return;
      } catch (BackendException e) {
        passOver(candidate, e);
      }
    }
    throw failure;
  }

  private void move(Backends.Candidate candidate, BackendException failure) {
    Placed moved = place(candidate);
    Map<LoraAdapter, LoraAdapter.Tensors> tensors;
    try {
      tensors = adapters.stream().collect(Collectors.toMap(a -> a, a -> a.on(moved.backend())));
    } catch (RuntimeException | Error e) {
      moved.close();
      throw e;
    }
    LOG.log(
        Level.WARNING,
        "{0} failed while it ran the model, {1} goes on: {2}",
        placed.backend().name(),
        candidate.name(),
        failure.getMessage());
    FallbackEvent.record(
        placed.backend().name(), candidate.name(), String.valueOf(failure.getMessage()));
    tensors.forEach(LoraAdapter::use);
    Placed failed = placed;
    placed = moved;
    try {
      failed.close();
    } catch (BackendException e) {
      LOG.log(Level.INFO, "{0}: {1}", failed.backend().name(), e.getMessage());
    }
  }

  /** From now on an adapter moves with the model. */
  synchronized void add(LoraAdapter adapter) {
    adapters.add(adapter);
  }

  /** Gives back what was compiled with an adapter. */
  synchronized void forget(LoraAdapter adapter) {
    adapters.remove(adapter);
    placed.decoder().forget(adapter);
  }

  @Override
  public synchronized void close() {
    placed.close();
  }
}
