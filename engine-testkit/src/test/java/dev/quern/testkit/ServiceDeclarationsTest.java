package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.BackendProvider;
import dev.quern.core.reference.ReferenceBackendProvider;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceDeclarationsTest {
  @Test
  void declarationsOfTheCoreAgree() {
    ServiceDeclarations.Declared declared = ServiceDeclarations.of(BackendProvider.class);
    assertThat(declared.files()).isEqualTo(declared.provides());
    assertThat(declared.files())
        .containsExactly(
            Map.entry(
                BackendProvider.class.getName(), Set.of(ReferenceBackendProvider.class.getName())));
  }

  @Test
  void aDifferenceIsSeen(@TempDir Path folder) throws IOException, URISyntaxException {
    String descriptor = "module-info.class";
    Path core =
        Path.of(BackendProvider.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    ModuleReference module = ModuleFinder.of(core).findAll().iterator().next();
    try (ModuleReader reader = module.open();
        InputStream found = reader.open(descriptor).orElseThrow()) {
      Files.copy(found, folder.resolve(descriptor));
    }
    for (String classes : module.descriptor().packages()) {
      Path inside = Files.createDirectories(folder.resolve(classes.replace('.', '/')));
      Files.createFile(inside.resolve("Some.class"));
    }
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(BackendProvider.class.getName()),
        "# a comment\nsome.Other # and another\n\n");
    ServiceDeclarations.Declared declared = ServiceDeclarations.of(folder);
    assertThat(declared.files())
        .isEqualTo(Map.of(BackendProvider.class.getName(), Set.of("some.Other")))
        .isNotEqualTo(declared.provides());
  }
}
