package dev.quern.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * Where the files of tests are: small ones in this module, more in the directory that the system
 * property {@code quern.fixtures} names.
 */
public final class Fixtures {
  /** The system property that names the directory; empty or unset for none. */
  public static final String PROPERTY = "quern.fixtures";

  private Fixtures() {}

  /** The directory of further fixtures, if there is one. */
  public static Optional<Path> directory() {
    String directory = System.getProperty(PROPERTY, "");
    return directory.isEmpty() ? Optional.empty() : Optional.of(Path.of(directory));
  }

  /**
   * A file or folder of the fixtures. Without a directory the calling test is skipped, and the
   * report says what it needed.
   *
   * @param relative for example {@code goldens/goldens.json}
   * @throws IllegalStateException if the directory is named but holds no such file
   */
  public static Path path(String relative) {
    Optional<Path> directory = directory();
    Assumptions.assumeTrue(
        directory.isPresent(), () -> relative + ": needs the fixtures; pass -Dquern.fixtures=DIR");
    Path path = directory.orElseThrow().resolve(relative);
    if (!Files.exists(path)) {
      throw new IllegalStateException(
          "fixtures: %s must hold %s but does not; correct -Dquern.fixtures"
              .formatted(directory.orElseThrow(), relative));
    }
    return path;
  }

  /**
   * Opens a file that this module carries.
   *
   * @param relative for example {@code models/arch-qwen2-f32.gguf}
   * @throws IllegalArgumentException if there is none
   */
  public static InputStream resource(String relative) {
    InputStream stream = Fixtures.class.getResourceAsStream(relative);
    if (stream == null) {
      throw new IllegalArgumentException(
          "fixtures: %s must be a resource of the testkit but is not".formatted(relative));
    }
    return stream;
  }

  /** The bytes of a file that this module carries. */
  public static byte[] bytes(String relative) {
    try (InputStream stream = resource(relative)) {
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
