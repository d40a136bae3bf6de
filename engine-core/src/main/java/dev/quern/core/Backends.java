package dev.quern.core;

import dev.quern.core.event.FallbackEvent;
import dev.quern.core.hybrid.HybridBackend;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/**
 * Finds the backends on the class path or module path and opens them by name.
 *
 * <p>A name is a provider's name, optionally followed by a colon and which of its devices: {@code
 * cpu}, {@code opencl}, {@code opencl:1}, {@code opencl:H200}; two of them with a plus between, the
 * second for what the first has no room for: {@code opencl:0+cpu}; or {@code auto}.
 */
public final class Backends {
  private static final System.Logger LOG = System.getLogger(Backends.class.getName());

  private Backends() {}

  /** A provider and what it found. */
  public record Found(BackendProvider provider, Probe probe) {}

  /** Every provider with what it found, best rank first, then by name. */
  public static List<Found> list() {
    List<Found> found = new ArrayList<>();
    for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
      found.add(new Found(provider, provider.probe()));
    }
    found.sort(
        Comparator.comparingInt((Found f) -> -rank(f.probe()))
            .thenComparing(f -> f.provider().name()));
    return List.copyOf(found);
  }

  /** Opens a backend by name with default options. */
  public static Backend open(String name) {
    return open(name, OpenOptions.defaults());
  }

  /** Opens the best backend that can be opened: {@code open("auto")}. */
  public static Backend best() {
    return open("auto");
  }

  /**
   * Opens a backend.
   *
   * @param name provider and device, or {@code auto} for the best that can be opened; what could
   *     not be opened on the way is logged with its reason
   * @throws BackendException if no provider has this name, or it cannot be opened. A backend chosen
   *     by name is never replaced by another
   */
  public static Backend open(String name, OpenOptions options) {
    List<Candidate> candidates = new ArrayList<>(candidates(name, options));
    // Without a model there is nothing yet that could lack room.
    candidates.removeIf(candidate -> candidates.size() > 1 && candidate.hybrid());
    for (Candidate candidate : candidates.subList(0, candidates.size() - 1)) {
      try {
        return candidate.open();
      } catch (BackendException e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0} was not opened, trying the next backend: {1}",
            candidate.name(),
            e.getMessage());
        FallbackEvent.record(candidate.name(), "the next backend", String.valueOf(e.getMessage()));
      }
    }
    return candidates.getLast().open();
  }

  /** A backend that is not opened yet. */
  public record Candidate(BackendProvider provider, OpenOptions options) {
    /** The provider's name. */
    public String name() {
      return provider.name();
    }

    /** Whether it is worth a try when another one failed so: a hybrid helps where room lacks. */
    public boolean helpsAfter(BackendException failure) {
      return !hybrid() || failure instanceof InsufficientMemoryException;
    }

    private boolean hybrid() {
      return provider instanceof HybridProvider;
    }

    /**
     * Opens it.
     *
     * @throws BackendException if it cannot be opened
     */
    public Backend open() {
      return provider.open(options);
    }
  }

  /**
   * What a name stands for: one backend, or for {@code auto} all that it may choose from, best
   * first, each device followed by the hybrid of it and the host. Opens none; why one is not among
   * those of {@code auto} is logged.
   *
   * @return at least one
   * @throws BackendException if no provider has this name, or for {@code auto} none is usable
   */
  public static List<Candidate> candidates(String name, OpenOptions options) {
    if (name.equals("auto")) {
      return usable(options);
    }
    int plus = name.indexOf('+');
    if (plus < 0) {
      return List.of(candidate(name, options));
    }
    Candidate first = candidate(name.substring(0, plus), options);
    return List.of(hybrid(first, candidate(name.substring(plus + 1), options.withDevice(""))));
  }

  private static Candidate hybrid(Candidate first, Candidate second) {
    return new Candidate(new HybridProvider(first, second), first.options());
  }

  private static Candidate candidate(String name, OpenOptions options) {
    int colon = name.indexOf(':');
    String wanted = colon < 0 ? name : name.substring(0, colon);
    String device = colon < 0 ? options.device() : name.substring(colon + 1);
    List<String> names = new ArrayList<>();
    for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
      if (provider.name().equals(wanted)) {
        return new Candidate(provider, options.withDevice(device));
      }
      names.add(provider.name());
    }
    names.sort(Comparator.naturalOrder());
    throw new BackendException(
        "backend: name must be auto, one of %s or two of them with a plus between but is %s"
            .formatted(names, name));
  }

  private static List<Candidate> usable(OpenOptions options) {
    List<Candidate> devices = new ArrayList<>();
    List<Candidate> hosts = new ArrayList<>();
    List<String> reasons = new ArrayList<>();
    for (Found found : list()) {
      switch (found.probe()) {
        case Probe.Unusable(String reason) -> {
          LOG.log(System.Logger.Level.INFO, "{0}: {1}", found.provider().name(), reason);
          reasons.add(found.provider().name() + ": " + reason);
        }
        case Probe.Usable(int rank, _) when rank > Probe.BY_NAME_ONLY ->
            (rank > Probe.VECTOR_CPU ? devices : hosts)
                .add(new Candidate(found.provider(), options.withDevice("")));
        case Probe.Usable _ -> {}
      }
    }
    List<Candidate> usable = new ArrayList<>();
    for (Candidate device : devices) {
      usable.add(device);
      hosts.stream().limit(1).forEach(host -> usable.add(hybrid(device, host)));
    }
    usable.addAll(hosts);
    if (usable.isEmpty()) {
      throw new BackendException(
          "backend: one must be usable but none is; " + String.join("; ", reasons));
    }
    return List.copyOf(usable);
  }

  /**
   * Two backends as one.
   *
   * @param first takes what fits
   * @param second takes the rest
   */
  private record HybridProvider(Candidate first, Candidate second) implements BackendProvider {
    @Override
    public String name() {
      return first.name() + "+" + second.name();
    }

    @Override
    public Probe probe() {
      return first.provider().probe();
    }

    @Override
    public Backend open(OpenOptions options) {
      Backend opened = first.open();
      try {
        return new HybridBackend(opened, second.open());
      } catch (RuntimeException | Error e) {
        opened.close();
        throw e;
      }
    }
  }

  private static int rank(Probe probe) {
    return switch (probe) {
      case Probe.Usable usable -> usable.rank();
      case Probe.Unusable unusable -> -1;
    };
  }
}
