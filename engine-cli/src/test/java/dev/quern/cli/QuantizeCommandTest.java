package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code quantize}, in this process. */
class QuantizeCommandTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void aFileIsRounded() throws IOException {
    Path in = write();
    Path out = Files.writeString(folder.resolve("out.gguf"), "what was there is replaced");
    Ran ran = Ran.quern("quantize", in.toString(), out.toString(), "--type", "tq2_0");
    assertThat(ran.err()).contains("out.gguf: TQ2_0");
    assertThat(ran.out()).isEmpty();
    assertThat(ran.status()).isZero();
    try (GgufFile file = GgufFile.open(out)) {
      assertThat(file.require("blk.0.ffn_up.weight").format()).isEqualTo(WeightFormats.TQ2_0);
      assertThat(file.require("token_embd.weight").format()).isEqualTo(WeightFormats.F32);
    }
    assertThat(names()).containsExactlyInAnyOrder("in.gguf", "out.gguf");
  }

  @Test
  void aFailureLeavesWhatWasThere() throws IOException {
    Path in = Files.write(folder.resolve("in.gguf"), new byte[100]);
    Path out = Files.writeString(folder.resolve("out.gguf"), "as before");
    Ran ran = Ran.quern("quantize", in.toString(), out.toString(), "--type", "Q8_0");
    assertThat(ran.status()).isEqualTo(Failures.FAILURE);
    assertThat(ran.err()).startsWith("quern: ").contains("in.gguf");
    assertThat(out).hasContent("as before");
    assertThat(names()).containsExactlyInAnyOrder("in.gguf", "out.gguf");
  }

  @Test
  void wrongUsageIsNamed() throws IOException {
    String in = write().toString();
    for (Ran ran :
        List.of(
            Ran.quern("quantize", in, in, "--type", "Q8_0"),
            Ran.quern("quantize", in, in + "2", "--type", "Q3_K"),
            Ran.quern("quantize", in, in + "2"))) {
      assertThat(ran.status()).isEqualTo(Failures.USAGE);
      assertThat(ran.err()).startsWith("quern: ").hasLineCount(1);
    }
    assertThat(names()).containsExactly("in.gguf");
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private Path write() throws IOException {
    Path path = folder.resolve("in.gguf");
    GgufMetadata metadata = GgufMetadata.builder("in").put("general.name", "in").build();
    GgufWriter.write(path, metadata, List.of(zeros("token_embd"), zeros("blk.0.ffn_up")));
    return path;
  }

  private static GgufWriter.Source zeros(String name) {
    MemorySegment zeros = MemorySegment.ofArray(new byte[4 * 512]);
    return new GgufWriter.Source(name + ".weight", Shape.of(2, 256), WeightFormats.F32, zeros);
  }
}
