package dev.quern.core;

import java.util.Map;

/**
 * How to compile a batch.
 *
 * @param precision how much rounding the backend may add
 * @param settings tunables by name that override those given at open
 */
public record CompileOptions(Precision precision, Map<String, String> settings) {
  public CompileOptions {
    settings = Map.copyOf(settings);
  }

  /** Exact arithmetic, no tunables. */
  public static CompileOptions exact() {
    return new CompileOptions(Precision.EXACT, Map.of());
  }

  /** The given precision, no tunables. */
  public static CompileOptions of(Precision precision) {
    return new CompileOptions(precision, Map.of());
  }
}
