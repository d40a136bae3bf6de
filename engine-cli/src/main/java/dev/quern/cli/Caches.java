package dev.quern.cli;

import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where compiled programs are kept between runs. */
final class Caches {
  private Caches() {}

  /** The user's cache directory by the custom of the system; null where there is no home. */
  static @Nullable Path directory() {
    String home = System.getProperty("user.home", "");
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String windows = System.getenv("LOCALAPPDATA");
    String xdg = System.getenv("XDG_CACHE_HOME");
    if (system.contains("windows") && windows != null) {
      return Path.of(windows, "quern", "cache");
    }
    if (xdg != null && xdg.startsWith("/")) {
      return Path.of(xdg, "quern");
    }
    if (home.isEmpty() || home.equals("?")) {
      return null;
    }
    return system.contains("mac")
        ? Path.of(home, "Library", "Caches", "quern")
        : Path.of(home, ".cache", "quern");
  }
}
