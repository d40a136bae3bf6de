package dev.quern.kernels.cl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The OpenCL C sources: {@code lib/} has what all share, {@code format/} one decoder a weight
 * format, {@code op/} one body an operation, {@code launch/} the kernels around bodies.
 */
public final class KernelSources {
  private KernelSources() {}

  /**
   * Returns a source, such as {@code op/matmul.clh}, if there is one of this name.
   *
   * @throws UncheckedIOException if it cannot be read
   */
  public static Optional<String> find(String name) {
    try (InputStream in = KernelSources.class.getResourceAsStream(name)) {
      return in == null
          ? Optional.empty()
          : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("kernel source " + name + " cannot be read", e);
    }
  }

  /**
   * Returns a source that must exist.
   *
   * @throws IllegalArgumentException if there is none: "kernel source: …"
   */
  public static String text(String name) {
    return find(name)
        .orElseThrow(
            () -> new IllegalArgumentException("kernel source: there is none named " + name));
  }
}
