package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.Precision;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoraAdapter;
import dev.quern.transformer.ModelSource;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.util.List;

/**
 * A model and the adapters it runs with.
 *
 * @param model what runs
 * @param adapters what its sessions run with
 */
record Loaded(LanguageModel model, List<LoraAdapter> adapters) implements AutoCloseable {

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
   * not fit the device, or that fails later, makes place for the next one, which is said; a backend
   * that the user named is never replaced.
   */
  static Loaded load(Request request, Streams streams) throws IOException {
    ModelOptions options = request.options;
    List<Backends.Candidate> candidates = options.candidates();
    LanguageModel model =
        ModelOptions.load(
            ModelSource.of(options.openFile()),
            candidates,
            options.load(request.precision).withSequences(request.sequences),
            streams);
    try {
      return new Loaded(model, LoraOptions.load(request.adapters, model));
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Where the model runs now. */
  Backend backend() {
    return model.backend();
  }

  /** Opens a session that runs with the adapters. */
  Session newSession() {
    return model.newSession(adapters);
  }

  @Override
  public void close() {
    try (model) {
      adapters.forEach(LoraAdapter::close);
    }
  }
}
