package dev.quern.gguf;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files in parts. */
class GgufPartsTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void anyPartOpensAll() throws IOException {
    write("m", 0, 3, 4, "a", "b");
    write("m", 1, 3, 4, "c");
    write("m", 2, 3, 4, "d");
    for (int i = 0; i < 3; i++) {
      try (GgufFile file = GgufFile.open(path("m", i, 3))) {
        assertThat(file.name()).isEqualTo(path("m", 0, 3).toString());
        assertThat(file.metadata().requireString("general.name")).isEqualTo("part 0 of m");
        assertThat(file.tensors()).extracting(GgufTensor::name).containsExactly("a", "b", "c", "d");
        assertThat(file.bytes())
            .isEqualTo(
                Files.size(path("m", 0, 3))
                    + Files.size(path("m", 1, 3))
                    + Files.size(path("m", 2, 3)));
        for (GgufTensor tensor : file.tensors()) {
          assertThat(tensor.segment().get(ValueLayout.JAVA_BYTE, 0))
              .isEqualTo((byte) tensor.name().charAt(0));
        }
      }
    }
  }

  @Test
  void aFileOfOnePartIsAFile() throws IOException {
    write("m", 0, 1, 1, "a");
    Path renamed = Files.move(path("m", 0, 1), folder.resolve("whole.gguf"));
    try (GgufFile file = GgufFile.open(renamed)) {
      assertThat(file.tensors()).hasSize(1);
    }
  }

  @Test
  void aMissingPartIsNamed() throws IOException {
    write("m", 0, 3, 3, "a");
    write("m", 2, 3, 3, "c");
    refused(path("m", 2, 3), "m-00002-of-00003.gguf", "part 2 of 3", "missing");
  }

  @Test
  void aRenamedPartIsRefused() throws IOException {
    write("m", 0, 2, 2, "a");
    refused(
        Files.move(path("m", 0, 2), folder.resolve("m.gguf")),
        "m.gguf",
        "must be named …-00001-of-00002.gguf");
    write("n", 0, 2, 2, "a");
    refused(Files.move(path("n", 0, 2), path("n", 1, 2)), "part 1 of 2");
  }

  @Test
  void aPartOfAnotherFileIsRefused() throws IOException {
    write("m", 0, 2, 2, "a");
    write("m", 1, 2, 5, "b");
    refused(path("m", 0, 2), "m-00002-of-00002.gguf", "split.tensors.count", "must be 2", "is 5");
    write("n", 0, 2, 2, "a");
    write("x", 1, 2, 2, "b", "c");
    Files.move(path("x", 1, 2), path("n", 1, 2));
    refused(path("n", 0, 2), "split.tensors.count", "of all parts, 3", "is 2");
    write("o", 0, 2, 2, "a");
    write("o", 1, 2, 2, "a");
    refused(path("o", 1, 2), "o-00002-of-00002.gguf", "a is in o-00001-of-00002.gguf too");
    write("p", 0, 2, 2, "a");
    write("p", 0, 3, 2, "b");
    Files.move(path("p", 0, 3), path("p", 1, 2));
    refused(path("p", 0, 2), "p-00002-of-00002.gguf", "split.no", "must be 1", "is 0");
  }

  @Test
  void nonsenseIsRefused() throws IOException {
    write("m", 0, 0, 1, "a");
    refused(path("m", 0, 0), "split.count", "at least 1 but is 0");
    write("n", 5, 2, 1, "a");
    refused(path("n", 5, 2), "split.no", "below the 2 parts but is 5");
  }

  @Test
  void aStreamCannotBeAPart() throws IOException {
    write("m", 0, 2, 2, "a");
    ByteArrayInputStream part = new ByteArrayInputStream(Files.readAllBytes(path("m", 0, 2)));
    assertThatThrownBy(() -> GgufFile.read(part, "stream").close())
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("stream")
        .hasMessageContaining("one of 2 parts");
  }

  private void refused(Path path, String... words) {
    assertThatThrownBy(() -> GgufFile.open(path).close())
        .isInstanceOf(GgufException.class)
        .hasMessageContainingAll(words);
  }

  private Path path(String name, int part, int count) {
    return folder.resolve("%s-%05d-of-%05d.gguf".formatted(name, part + 1, count));
  }

  /** Tensors of 32 bytes, each the first letter of its name. */
  private void write(String name, int part, int count, int tensors, String... names)
      throws IOException {
    GgufMetadata metadata =
        GgufMetadata.builder(name)
            .put("general.name", "part %d of %s".formatted(part, name))
            .put("split.no", new GgufValue.Whole(GgufType.UINT16, part))
            .put("split.count", new GgufValue.Whole(GgufType.UINT16, count))
            .put("split.tensors.count", new GgufValue.Whole(GgufType.INT32, tensors))
            .build();
    List<GgufWriter.Source> sources =
        List.of(names).stream()
            .map(tensor ->
                new GgufWriter.Source(
                    tensor,
                    Shape.of(8),
                    WeightFormats.F32,
                    MemorySegment.ofArray(tensor.repeat(32).getBytes(US_ASCII))))
            .toList();
    GgufWriter.write(path(name, part, count), metadata, sources);
  }
}
