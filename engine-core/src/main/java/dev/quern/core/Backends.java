package dev.quern.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/**
 * Finds the backends on the class path or module path and opens them by name.
 *
 * <p>A name is a provider's name, optionally followed by a colon and which of its devices: {@code
 * cpu}, {@code opencl}, {@code opencl:1}, {@code opencl:H200}; or {@code auto}.
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
    if (name.equals("auto")) {
      return openBest(options);
    }
    int colon = name.indexOf(':');
    String wanted = colon < 0 ? name : name.substring(0, colon);
    String device = colon < 0 ? options.device() : name.substring(colon + 1);
    List<String> names = new ArrayList<>();
    for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
      if (provider.name().equals(wanted)) {
        return provider.open(options.withDevice(device));
      }
      names.add(provider.name());
    }
    names.sort(Comparator.naturalOrder());
    throw new BackendException(
        "backend: name must be auto or one of %s but is %s".formatted(names, name));
  }

  private static Backend openBest(OpenOptions options) {
    List<String> reasons = new ArrayList<>();
    for (Found found : list()) {
      String name = found.provider().name();
      switch (found.probe()) {
        case Probe.Unusable unusable -> {
          LOG.log(System.Logger.Level.INFO, "{0}: {1}", name, unusable.reason());
          reasons.add(name + ": " + unusable.reason());
        }
        case Probe.Usable usable -> {
          if (usable.rank() > Probe.BY_NAME_ONLY) {
            try {
              return found.provider().open(options.withDevice(""));
            } catch (BackendException e) {
              LOG.log(
                  System.Logger.Level.WARNING,
                  "{0} was not opened, trying the next backend: {1}",
                  name,
                  e.getMessage());
              reasons.add(name + ": " + e.getMessage());
            }
          }
        }
      }
    }
    throw new BackendException(
        "backend: one must be usable but none is; " + String.join("; ", reasons));
  }

  private static int rank(Probe probe) {
    return switch (probe) {
      case Probe.Usable usable -> usable.rank();
      case Probe.Unusable unusable -> -1;
    };
  }
}
