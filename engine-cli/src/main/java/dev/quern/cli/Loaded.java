package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.core.Probe;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoraAdapter;
import dev.quern.transformer.ModelSource;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A model, the backend it runs on, and the adapters it runs with.
 *
 * @param backend where it runs
 * @param model what runs
 * @param adapters what its sessions run with
 */
record Loaded(Backend backend, LanguageModel model, List<LoraAdapter> adapters)
    implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Loaded.class.getName());

  /**
   * What is to be loaded.
   *
   * @param options which model, where and how
   * @param precision where the options do not say
   * @param adapters what its sessions run with
   * @param sequences how many sequences run together
   */
  record Request(
      ModelOptions options,
      Precision precision,
      List<LoraOptions.Weighted> adapters,
      int sequences) {
    Request {
      adapters = List.copyOf(adapters);
    }
  }

  /** Loads the model for one sequence without adapters. */
  static Loaded load(ModelOptions options, Precision precision, Streams streams)
      throws IOException {
    return load(new Request(options, precision, List.of(), 1), streams);
  }

  /** Loads the model for one sequence. */
  static Loaded load(ModelOptions options, Precision precision, LoraOptions lora, Streams streams)
      throws IOException {
    return load(new Request(options, precision, lora.parsed(), 1), streams);
  }

  /**
   * Loads the model. Under {@code auto} a backend that cannot take it, for example because it does
   * not fit the device, makes place for the next one, which is said; a backend that the user named
   * is never replaced.
   */
  static Loaded load(Request request, Streams streams) throws IOException {
    List<String> names = names(request.options);
    for (String name : names.subList(0, names.size() - 1)) {
      try {
        return load(name, request, streams);
      } catch (BackendException e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0} cannot run the model, the next backend is tried: {1}",
            name,
            e.getMessage());
      }
    }
    return load(names.getLast(), request, streams);
  }

  private static Loaded load(String name, Request request, Streams streams) throws IOException {
    Backend backend = request.options.openBackend(name);
    try {
      return load(backend, request, streams);
    } catch (IOException | RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  private static Loaded load(Backend backend, Request request, Streams streams) throws IOException {
    LanguageModel model =
        ModelOptions.load(
            ModelSource.of(request.options.openFile()),
            backend,
            request.options.load(request.precision).withSequences(request.sequences),
            streams);
    try {
      return new Loaded(backend, model, LoraOptions.load(request.adapters, model));
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Opens a session that runs with the adapters. */
  Session newSession() {
    return model.newSession(adapters);
  }

  private static List<String> names(ModelOptions options) {
    if (!options.backend().equals("auto")) {
      return List.of(options.backend());
    }
    List<String> usable = new ArrayList<>();
    for (Backends.Found found : Backends.list()) {
      switch (found.probe()) {
        case Probe.Usable(int rank, _) when rank > Probe.BY_NAME_ONLY ->
            usable.add(found.provider().name());
        case Probe.Usable _ -> {}
        case Probe.Unusable(String reason) ->
            LOG.log(System.Logger.Level.INFO, "{0}: {1}", found.provider().name(), reason);
      }
    }
    return usable.isEmpty() ? List.of("auto") : usable;
  }

  @Override
  public void close() {
    try (backend;
        model) {
      adapters.forEach(LoraAdapter::close);
    }
  }
}
