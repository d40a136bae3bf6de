package dev.quern.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The services of a module, declared twice: {@code provides} in the module descriptor for users of
 * the module path, {@code META-INF/services} for users of the class path.
 */
public final class ServiceDeclarations {
  private static final String FOLDER = "META-INF/services/";

  private ServiceDeclarations() {}

  /**
   * What the two declarations say.
   *
   * @param provides providers by service, from the module descriptor
   * @param files providers by service, from {@code META-INF/services}
   */
  public record Declared(Map<String, Set<String>> provides, Map<String, Set<String>> files) {
    public Declared {
      provides = Map.copyOf(provides);
      files = Map.copyOf(files);
    }
  }

  /** The declarations of the module that a class was loaded from, as a folder or a jar. */
  public static Declared of(Class<?> member) {
    try {
      return of(Path.of(member.getProtectionDomain().getCodeSource().getLocation().toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /**
   * The declarations of a module in a folder or a jar.
   *
   * @throws IllegalArgumentException if there is no module descriptor
   */
  public static Declared of(Path module) {
    ModuleReference reference =
        ModuleFinder.of(module).findAll().stream()
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "services: %s must be a module but has no descriptor".formatted(module)));
    Map<String, Set<String>> provides =
        reference.descriptor().provides().stream()
            .collect(
                Collectors.toMap(
                    ModuleDescriptor.Provides::service, p -> new TreeSet<>(p.providers())));
    try (ModuleReader reader = reference.open();
        Stream<String> names = reader.list()) {
      Map<String, Set<String>> files = new TreeMap<>();
      for (String name : names.filter(n -> n.startsWith(FOLDER)).toList()) {
        if (!name.endsWith("/")) {
          files.put(name.substring(FOLDER.length()), providers(reader, name));
        }
      }
      return new Declared(provides, files);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> providers(ModuleReader reader, String name) throws IOException {
    try (InputStream stream = reader.open(name).orElseThrow()) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.replaceFirst("#.*", "").strip())
          .filter(line -> !line.isEmpty())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
