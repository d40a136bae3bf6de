package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** What a measurement was made on, for people to read. */
final class Machine {
  private Machine() {}

  /** System, processor and number of cores. */
  static String describe() {
    return String.format(
        Locale.ROOT,
        "%s %s, %s, %d processors",
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        processor(),
        Runtime.getRuntime().availableProcessors());
  }

  /** Name and version of the JVM. */
  static String jvm() {
    return System.getProperty("java.vm.name") + " " + Runtime.version();
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown processor");
    } catch (IOException e) {
      return "unknown processor";
    }
  }

  /**
   * The commit: what the launcher of a copy for another machine says, or what is checked out around
   * the class path.
   */
  static String commit() {
    String built = System.getProperty("quern.commit", "");
    if (!built.isEmpty()) {
      return built;
    }
    try {
      Path place =
          Path.of(Machine.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      for (Path folder = place; folder != null; folder = folder.getParent()) {
        Path git = folder.resolve(".git");
        if (Files.exists(git)) {
          return head(git);
        }
      }
    } catch (IOException | java.net.URISyntaxException e) {
      return "unknown";
    }
    return "unknown";
  }

  /** What HEAD names; a work tree apart has a file that says where its git directory is. */
  private static String head(Path git) throws IOException {
    Path directory =
        Files.isDirectory(git)
            ? git
            : git.resolveSibling(Files.readString(git).strip().replaceFirst("^gitdir: ", ""));
    String head = Files.readString(directory.resolve("HEAD")).strip();
    if (!head.startsWith("ref: ")) {
      return head;
    }
    String name = head.substring("ref: ".length());
    Path common = directory;
    if (Files.exists(directory.resolve("commondir"))) {
      common = directory.resolve(Files.readString(directory.resolve("commondir")).strip());
    }
    Path reference = common.resolve(name);
    if (Files.exists(reference)) {
      return Files.readString(reference).strip();
    }
    try (Stream<String> packed = Files.lines(common.resolve("packed-refs"))) {
      return packed
          .filter(line -> line.endsWith(" " + name))
          .map(line -> line.substring(0, line.indexOf(' ')))
          .findFirst()
          .orElse("unknown");
    }
  }
}
