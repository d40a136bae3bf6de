package dev.quern.opencl;

import dev.quern.core.BackendException;
import dev.quern.core.ByteSize;
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
 * @param uploads {@code opencl.uploads}: auto, plain or pinned; read when a device is opened
 * @param limits {@code opencl.memory} and {@code opencl.max-alloc}
 */
record Settings(
    Strategy strategy,
    Kernels kernels,
    int groupSize,
    int groups,
    int spinLimit,
    Uploads uploads,
    Limits limits) {
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

  /** How weights reach a device. */
  enum Uploads {
    /** Pinned where the device has memory of its own. */
    AUTO,
    PLAIN,
    PINNED;

    /** Whether uploads to a device go through pinned memory. */
    boolean pinned(ClDevice device) {
      return switch (this) {
        case AUTO -> !device.unified();
        case PLAIN -> false;
        case PINNED -> true;
      };
    }
  }

  /**
   * What may be used of a device, for example to see how a smaller one would do; read when it is
   * opened. 0 for what the device has.
   *
   * @param memory bytes of memory
   * @param maxAllocation bytes of the largest allocation
   */
  record Limits(long memory, long maxAllocation) {}

  private static final String PREFIX = "opencl.";

  /** The backend chooses everything. */
  static final Settings DEFAULTS =
      new Settings(Strategy.AUTO, Kernels.AUTO, 0, 0, 0, Uploads.AUTO, new Limits(0, 0));

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
      case "strategy" -> with(choice(Strategy.class, name, value), kernels);
      case "kernels" -> with(strategy, choice(Kernels.class, name, value));
      case "group-size" -> with(number(name, value), groups, spinLimit);
      case "groups" -> with(groupSize, number(name, value), spinLimit);
      case "spin-limit" -> with(groupSize, groups, number(name, value));
      case "uploads" -> with(choice(Uploads.class, name, value), limits);
      case "memory" -> with(uploads, new Limits(bytes(name, value), limits.maxAllocation()));
      case "max-alloc" -> with(uploads, new Limits(limits.memory(), bytes(name, value)));
      default ->
          throw new BackendException(
              name
                  + ": must be one of opencl.strategy, opencl.kernels, opencl.group-size,"
                  + " opencl.groups, opencl.spin-limit, opencl.uploads, opencl.memory, opencl.max-alloc");
    };
  }

  private Settings with(Strategy changed, Kernels chosen) {
    return new Settings(changed, chosen, groupSize, groups, spinLimit, uploads, limits);
  }

  private Settings with(int size, int count, int spins) {
    return new Settings(strategy, kernels, size, count, spins, uploads, limits);
  }

  private Settings with(Uploads way, Limits changed) {
    return new Settings(strategy, kernels, groupSize, groups, spinLimit, way, changed);
  }

  private static long bytes(String name, String value) {
    try {
      return ByteSize.parse(name, value);
    } catch (IllegalArgumentException e) {
      throw new BackendException(String.valueOf(e.getMessage()), e);
    }
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
