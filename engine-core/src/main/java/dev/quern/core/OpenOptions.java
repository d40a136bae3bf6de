package dev.quern.core;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How to open a backend.
 *
 * @param device which device of the provider: empty for its best, a number, or part of a name
 * @param threads host threads that a backend on the host may use; 0 for one per core
 * @param cache folder for compiled programs and self-test results, or null to keep none
 * @param settings tunables by name, such as {@code opencl.strategy}; unknown names are refused by
 *     the backend they are addressed to (the part before the dot) and ignored by others
 */
public record OpenOptions(
    String device, int threads, @Nullable Path cache, Map<String, String> settings) {
  /**
   * @throws IllegalArgumentException if threads is negative
   */
  public OpenOptions {
    if (threads < 0) {
      throw new IllegalArgumentException("threads: must not be negative but is " + threads);
    }
    settings = Map.copyOf(settings);
  }

  /** The provider's best device, all cores, no cache, no tunables. */
  public static OpenOptions defaults() {
    return new OpenOptions("", 0, null, Map.of());
  }

  /** These options with another device. */
  public OpenOptions withDevice(String changed) {
    return new OpenOptions(changed, threads, cache, settings);
  }

  /** These options with another number of threads. */
  public OpenOptions withThreads(int changed) {
    return new OpenOptions(device, changed, cache, settings);
  }

  /** These options with another cache folder. */
  public OpenOptions withCache(@Nullable Path changed) {
    return new OpenOptions(device, threads, changed, settings);
  }

  /** These options with other tunables. */
  public OpenOptions withSettings(Map<String, String> changed) {
    return new OpenOptions(device, threads, cache, changed);
  }
}
