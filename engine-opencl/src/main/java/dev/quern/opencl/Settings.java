package dev.quern.opencl;

import dev.quern.core.BackendException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * The tunables of the backend; 0 and {@code AUTO} leave the choice to the backend.
 *
 * @param strategy {@code opencl.strategy}: auto, stream or persistent
 * @param kernels {@code opencl.kernels}: auto, portable, or int8 (where {@code FAST} allows it)
 * @param groupSize {@code opencl.group-size}: work-items in a work-group, a power of two
 * @param groups {@code opencl.groups}: work-groups of the persistent kernel
 * @param spinLimit {@code opencl.spin-limit}: how often the grid barrier looks before it gives up
 */
record Settings(Strategy strategy, Kernels kernels, int groupSize, int groups, int spinLimit) {
  /** How batches are launched. */
  enum Strategy {
    AUTO,
    STREAM,
    PERSISTENT
  }

  /** Which kernels may do products. */
  enum Kernels {
    AUTO,
    PORTABLE,
    INT8
  }

  private static final String PREFIX = "opencl.";

  /** The backend chooses everything. */
  static final Settings DEFAULTS = new Settings(Strategy.AUTO, Kernels.AUTO, 0, 0, 0);

  Settings {
    if (groupSize < 0 || Integer.bitCount(groupSize) > 1) {
      throw new BackendException("opencl.group-size: must be a power of two but is " + groupSize);
    }
  }

  /**
   * Returns these settings with what {@code changes} names under {@code opencl.}.
   *
   * @throws BackendException if a name or value is not known: "opencl.x: …"
   */
  Settings with(Map<String, String> changes) {
    Settings result = this;
    for (Map.Entry<String, String> change : changes.entrySet()) {
      if (change.getKey().startsWith(PREFIX)) {
        result = result.with(change.getKey(), change.getValue());
      }
    }
    return result;
  }

  private Settings with(String name, String value) {
    return switch (name.substring(PREFIX.length())) {
      case "strategy" ->
          new Settings(choice(Strategy.class, name, value), kernels, groupSize, groups, spinLimit);
      case "kernels" ->
          new Settings(strategy, choice(Kernels.class, name, value), groupSize, groups, spinLimit);
      case "group-size" -> new Settings(strategy, kernels, number(name, value), groups, spinLimit);
      case "groups" -> new Settings(strategy, kernels, groupSize, number(name, value), spinLimit);
      case "spin-limit" -> new Settings(strategy, kernels, groupSize, groups, number(name, value));
      default ->
          throw new BackendException(
              name
                  + ": must be one of opencl.strategy, opencl.kernels, opencl.group-size,"
                  + " opencl.groups, opencl.spin-limit");
    };
  }

  private static <E extends Enum<E>> E choice(Class<E> type, String name, String value) {
    try {
      return Enum.valueOf(type, value.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      String all = Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT);
      throw new BackendException(name + ": must be one of " + all + " but is " + value, e);
    }
  }

  private static int number(String name, String value) {
    try {
      return Integer.parseUnsignedInt(value);
    } catch (NumberFormatException e) {
      throw new BackendException(name + ": must be a number from 0 but is " + value, e);
    }
  }
}
