package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.core.Probe;
import dev.quern.transformer.LanguageModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A model and the backend it runs on. */
record Loaded(Backend backend, LanguageModel model) implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Loaded.class.getName());

  /**
   * Loads the model. Under {@code auto} a backend that cannot take it, for example because it does
   * not fit the device, makes place for the next one, which is said; a backend that the user named
   * is never replaced.
   */
  static Loaded load(ModelOptions options, Precision precision, Streams streams)
      throws IOException {
    List<String> names = names(options);
    for (String name : names.subList(0, names.size() - 1)) {
      try {
        return load(name, options, precision, streams);
      } catch (BackendException e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0} cannot run the model, the next backend is tried: {1}",
            name,
            e.getMessage());
      }
    }
    return load(names.getLast(), options, precision, streams);
  }

  private static Loaded load(
      String name, ModelOptions options, Precision precision, Streams streams) throws IOException {
    Backend backend = options.openBackend(name);
    try {
      return new Loaded(backend, options.load(backend, precision, streams));
    } catch (IOException | RuntimeException | Error e) {
      backend.close();
      throw e;
    }
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
    try (backend) {
      model.close();
    }
  }
}
