package dev.quern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.fable.FableModels;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufFilesTest {
  @Test
  void whatIsWrittenIsRead(@TempDir Path folder) throws IOException {
    GgufMetadata metadata = everyType();
    Path path = folder.resolve("small.gguf");
    GgufWriter.write(path, metadata, tensors());
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.metadata().values()).isEqualTo(metadata.values());
      assertThat(List.copyOf(file.metadata().values().keySet()))
          .isEqualTo(List.copyOf(metadata.values().keySet()));
      assertThat(file.version()).isEqualTo(3);
      assertThat(file.alignment()).isEqualTo(64);
      assertThat(file.bytes()).isEqualTo(Files.size(path));
      assertThat(file.tensors()).extracting(GgufTensor::name).containsExactly("a", "b", "c");
      GgufTensor b = file.require("b");
      assertThat(b.dimensions()).containsExactly(32L, 3L);
      assertThat(b.shape()).isEqualTo(Shape.of(3, 32));
      assertThat(b.format()).isEqualTo(WeightFormats.Q8_0);
      assertThat(b.offset() % 64).isZero();
      assertThat(b.bytes()).isEqualTo(3 * 34);
      assertThat(b.segment().isReadOnly()).isTrue();
      assertThat(b.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes(3 * 34, 2));
      assertThat(b).hasToString("b[3, 32]:Q8_0");
      assertThat(file.require("c").segment().toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(bytes(24, 3));
    }
  }

  @Test
  void aStreamIsCopiedWhole() throws IOException {
    byte[] written = written(everyType(), tensors());
    try (InputStream in = FableModels.defaultModel().open();
        GgufFile fable = GgufFile.read(in, "fable");
        GgufFile small = GgufFile.read(new ByteArrayInputStream(written), "small")) {
      assertThat(fable.bytes()).isEqualTo(FableModels.defaultModel().bytes());
      assertThat(fable.metadata().requireString("general.architecture")).isEqualTo("qwen3");
      assertThat(fable.require("token_embd.weight").shape()).isEqualTo(Shape.of(2048, 256));
      assertThat(fable.require("token_embd.weight").segment().isNative()).isTrue();
      assertThat(small.require("a").segment().toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(bytes(8, 1));
    }
  }

  @Test
  void memoryIsGoneWhenTheFileIsClosedAndMetadataStays() throws IOException {
    GgufFile file = GgufFile.read(new ByteArrayInputStream(written(everyType(), tensors())), "m");
    MemorySegment segment = file.require("a").segment();
    file.close();
    assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThat(file.metadata().requireStrings("strings")).containsExactly("", "é", "two words");
  }

  @Test
  void metadataIsReadAsWhatItIs() {
    GgufMetadata metadata = everyType();
    assertThat(metadata.requireInt("uint32")).isEqualTo(7);
    assertThat(metadata.requireLong("int64")).isEqualTo(-1L << 40);
    assertThat(metadata.requireFloat("float32")).isEqualTo(1e-5f);
    assertThat(metadata.requireFloat("uint32")).isEqualTo(7f);
    assertThat(metadata.requireBoolean("bool")).isTrue();
    assertThat(metadata.requireString("string")).isEqualTo("naïve");
    assertThat(metadata.requireInts("int32s")).containsExactly(1, -2, 3);
    assertThat(metadata.requireFloats("float32s")).containsExactly(0.5f, -1f);
    assertThat(metadata.findInt("absent")).isEmpty();
    assertThat(metadata.findStrings("absent")).isEmpty();
    assertThat(metadata.contains("bool")).isTrue();
    assertThat(metadata.find("uint64").orElseThrow()).hasToString("18446744073709551615");
  }

  @Test
  void aWrongTypeIsNamedWithKeyAndFile() {
    GgufMetadata metadata = everyType();
    assertThatThrownBy(() -> metadata.requireInt("string"))
        .isInstanceOf(GgufException.class)
        .hasMessage("test.gguf: metadata string: must be a whole number but is string");
    assertThatThrownBy(() -> metadata.requireInt("absent"))
        .isInstanceOf(GgufException.class)
        .hasMessageStartingWith("test.gguf: metadata absent: must be present but is not");
    assertThatThrownBy(() -> metadata.requireInt("int64")).hasMessageContaining("must fit 32 bits");
    assertThatThrownBy(() -> metadata.requireLong("uint64")).hasMessageContaining("2^63");
    assertThatThrownBy(() -> metadata.requireStrings("int32s"))
        .hasMessageContaining("an array of strings but is an array of int32");
    assertThatThrownBy(() -> metadata.requireInts("float32s"))
        .hasMessageContaining("but is an array of float32");
    assertThatThrownBy(() -> metadata.requireBoolean("uint32"))
        .hasMessageContaining("a bool but is uint32");
  }

  @Test
  void version2IsReadLikeVersion3() throws IOException {
    byte[] file = written(everyType(), tensors());
    file[4] = 2;
    assertThat(GgufFile.of(MemorySegment.ofArray(file), "v2").version()).isEqualTo(2);
  }

  @Test
  void tensorsThatQuernCannotComputeWithAreListedAllTheSame() throws IOException {
    byte[] file = written(everyType(), tensors());
    // tensor "a" is I32[2]; as I64[1] it has as many bytes
    int at = indexOf(file, new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 'a'});
    file[at + 13] = 1;
    file[at + 21] = 27;
    GgufTensor tensor = GgufFile.of(MemorySegment.ofArray(file), "i64").require("a");
    assertThat(tensor.typeName()).isEqualTo("I64");
    assertThatThrownBy(tensor::format)
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("tensor a: type must be one of F32, F16")
        .hasMessageContaining("but is I64");
  }

  @ParameterizedTest
  @CsvSource({"arch", "fable", "vocab"})
  void everyFixtureOpens(String folder) throws IOException {
    List<Path> files = Fixtures.files(folder, ".gguf");
    assertThat(files).hasSizeGreaterThanOrEqualTo(5);
    for (Path path : files) {
      try (GgufFile file = GgufFile.open(path)) {
        assertThat(file.metadata().requireString("general.architecture")).isNotEmpty();
        assertThat(file.tensors().isEmpty()).isEqualTo(folder.equals("vocab"));
        long end = 0;
        for (GgufTensor tensor : file.tensors()) {
          end = Math.max(end, tensor.offset() + tensor.bytes());
        }
        // nothing but padding after the last tensor
        assertThat(file.bytes() - end).isBetween(0L, folder.equals("vocab") ? 1L << 30 : 31L);
      }
    }
  }

  static GgufMetadata everyType() {
    return GgufMetadata.builder("test.gguf")
        .put("general.alignment", 64)
        .put("uint8", new GgufValue.Whole(GgufType.UINT8, 200))
        .put("int8", new GgufValue.Whole(GgufType.INT8, -3))
        .put("uint16", new GgufValue.Whole(GgufType.UINT16, 60_000))
        .put("int16", new GgufValue.Whole(GgufType.INT16, -300))
        .put("uint32", 7)
        .put("int32", -7)
        .put("uint64", new GgufValue.Whole(GgufType.UINT64, -1))
        .put("int64", -1L << 40)
        .put("float32", 1e-5f)
        .put("float64", new GgufValue.Real(GgufType.FLOAT64, Math.PI))
        .put("bool", true)
        .put("string", "naïve")
        .putStrings("strings", List.of("", "é", "two words"))
        .put("int32s", GgufNumbers.of(1, -2, 3))
        .put("float32s", GgufNumbers.of(0.5f, -1f))
        .put("none", GgufNumbers.of(new int[0]))
        .put(
            "nested",
            new GgufValue.Nested(
                List.of(GgufNumbers.of(1, 2), GgufStrings.of(List.of("x")), GgufNumbers.of(3))))
        .build();
  }

  static List<GgufWriter.Source> tensors() {
    return List.of(
        new GgufWriter.Source("a", Shape.of(2), WeightFormats.I32, segment(8, 1)),
        new GgufWriter.Source("b", Shape.of(3, 32), WeightFormats.Q8_0, segment(3 * 34, 2)),
        new GgufWriter.Source("c", Shape.of(1, 2, 3), WeightFormats.F32, segment(24, 3)));
  }

  static byte[] written(GgufMetadata metadata, List<GgufWriter.Source> tensors) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    GgufWriter.write(out, metadata, tensors);
    return out.toByteArray();
  }

  static int indexOf(byte[] file, byte[] part) {
    for (int at = 0; at + part.length <= file.length; at++) {
      if (Arrays.equals(file, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    throw new AssertionError("not in the file");
  }

  private static MemorySegment segment(int count, int seed) {
    return MemorySegment.ofArray(bytes(count, seed));
  }

  private static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (seed * 31 + i * 7);
    }
    return bytes;
  }
}
