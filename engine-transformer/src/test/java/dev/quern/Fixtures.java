package dev.quern;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The directory of {@code -Dquern.fixtures=DIR}; a test that asks for it is skipped without it. */
public final class Fixtures {
  private Fixtures() {}

  public static Path directory() {
    String directory = System.getProperty("quern.fixtures", "");
    assumeFalse(directory.isEmpty(), "needs -Dquern.fixtures=DIR");
    return Path.of(directory);
  }

  /** The files of a folder of the fixtures whose names end so, sorted. */
  public static List<Path> files(String folder, String ending) throws IOException {
    try (Stream<Path> files = Files.list(directory().resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }
}
