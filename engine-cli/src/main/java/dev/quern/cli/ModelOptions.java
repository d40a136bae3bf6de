package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.BackendProvider;
import dev.quern.core.Backends;
import dev.quern.core.ByteSize;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.format.WeightFormats;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import dev.quern.transformer.ModelSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say which model runs where and how. */
final class ModelOptions {
  /** Formats of the cache of keys and values. */
  enum Kv {
    F16,
    F32
  }

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description = "GGUF file, or the name of a built-in model. Default: fable-7m-q4_k_m")
  private @Nullable String model;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = "auto",
      description =
          "auto, cpu, reference, opencl, opencl:N, opencl:NAME-PART or opencl-jocl, as 'quern"
              + " devices' lists them; or opencl+cpu: the layers that fit on the device, the rest on"
              + " the CPU."
              + " Default: ${DEFAULT-VALUE}")
  private String backend = "auto";

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description = "Memory of an OpenCL device to use, such as 4GiB. Default: all that it has")
  private @Nullable String memory;

  @Option(
      names = "--max-alloc",
      paramLabel = "SIZE",
      description =
          "Largest allocation on an OpenCL device, such as 256MiB; larger matrices are split by"
              + " rows. Default: what the device allows")
  private @Nullable String maxAlloc;

  @Option(
      names = "--precision",
      paramLabel = "exact|fast",
      description =
          "exact computes in float32; fast may round activations and cache. Default: fast, for"
              + " logits exact")
  private @Nullable Precision precision;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads of a backend on the host. Default: one per core")
  private @Nullable Integer threads;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Tokens a conversation can hold. Default: what the model can, at most 4096")
  private @Nullable Integer context;

  @Option(
      names = "--kv",
      paramLabel = "f16|f32",
      description = "Format of cached keys and values. Default: f16, with exact f32")
  private @Nullable Kv kv;

  /** A number that must be positive, or {@code otherwise}. */
  static int positive(String option, @Nullable Integer value, int otherwise) {
    if (value == null) {
      return otherwise;
    }
    if (value < 1) {
      throw new UsageException(option + ": must be at least 1 but is " + value);
    }
    return value;
  }

  Precision precision(Precision otherwise) {
    return precision == null ? otherwise : precision;
  }

  /** The backend's name as given. */
  String backend() {
    return backend;
  }

  /** Opens a backend by name; a name that no provider has is wrong usage. */
  Backend openBackend(String name) {
    return Backends.open(name, openOptions(name));
  }

  /** What the backend's name stands for; a name that no provider has is wrong usage. */
  List<Backends.Candidate> candidates() {
    return Backends.candidates(backend, openOptions(backend));
  }

  private OpenOptions openOptions(String name) {
    List<String> names =
        Stream.concat(
                Stream.of("auto"),
                ServiceLoader.load(BackendProvider.class).stream().map(p -> p.get().name()))
            .sorted()
            .toList();
    List<String> parts = List.of(name.split("\\+", -1));
    boolean known =
        parts.size() <= 2
            && parts.stream().allMatch(part -> names.contains(part.replaceFirst(":.*", "")))
            && (parts.size() == 1 || !parts.contains("auto"));
    if (!known) {
      throw new UsageException(
          "--backend: must be one of %s, or two with a plus between, but is %s"
              .formatted(String.join(", ", names), name));
    }
    // wrong usage is said before a device is opened, which may take a while
    positive("--context", context, 0);
    return OpenOptions.defaults()
        .withThreads(positive("--threads", threads, 0))
        .withCache(Caches.directory())
        .withSettings(limits());
  }

  private Map<String, String> limits() {
    Map<String, String> limits = new HashMap<>();
    limit("--memory", "opencl.memory", memory, limits);
    limit("--max-alloc", "opencl.max-alloc", maxAlloc, limits);
    return limits;
  }

  private static void limit(
      String option, String setting, @Nullable String size, Map<String, String> limits) {
    if (size != null) {
      try {
        ByteSize.parse(option, size);
      } catch (IllegalArgumentException e) {
        throw new UsageException(String.valueOf(e.getMessage()));
      }
      limits.put(setting, size);
    }
  }

  /** Opens the model's file without loading it. */
  GgufFile openFile() throws IOException {
    return open(model);
  }

  /** Opens a file, or a built-in model by name; null stands for the default one. */
  static GgufFile open(@Nullable String name) throws IOException {
    Optional<FableModels.Model> builtIn =
        name == null ? Optional.of(FableModels.defaultModel()) : FableModels.find(name);
    if (builtIn.isPresent() && (name == null || !Files.exists(Path.of(name)))) {
      try (InputStream stream = builtIn.get().open()) {
        return GgufFile.read(stream, builtIn.get().name());
      }
    }
    return GgufFile.open(Path.of(String.valueOf(name)));
  }

  /** How the model is loaded. */
  LoadOptions load(Precision otherwise) {
    LoadOptions options =
        LoadOptions.of(precision(otherwise)).withContext(positive("--context", context, 0));
    if (kv != null) {
      options =
          options.withKvFormat(
              switch (kv) {
                case F16 -> WeightFormats.F16;
                case F32 -> WeightFormats.F32;
              });
    }
    return options;
  }

  /** Loads a model from anywhere, with a progress bar where a person watches. */
  static LanguageModel load(ModelSource source, Backend on, LoadOptions options, Streams streams) {
    try (LoadProgress progress = new LoadProgress(source.name(), streams)) {
      return LanguageModel.load(source, on, options.withProgress(progress));
    }
  }

  /** Loads a model onto the first candidate that takes it. */
  static LanguageModel load(
      ModelSource source,
      List<Backends.Candidate> candidates,
      LoadOptions options,
      Streams streams) {
    try (LoadProgress progress = new LoadProgress(source.name(), streams)) {
      return LanguageModel.load(source, candidates, options.withProgress(progress));
    }
  }

  /** For people: backend, device and precision. */
  String describe(Backend on, Precision otherwise) {
    return "%s (%s), %s"
        .formatted(
            on.name(), on.device().name(), precision(otherwise).name().toLowerCase(Locale.ROOT));
  }
}
