package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoadProgressTest {
  private static final long TENSORS = 100;
  private static final long TENSOR_BYTES = 5L << 20;

  private long nanos;

  /** What stderr shows of a load whose tensors take so long each. */
  private String shown(long millis, boolean terminal) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(err, false, StandardCharsets.UTF_8);
    Streams streams = new Streams(InputStream.nullInputStream(), System.out, stream, terminal);
    LoadProgress progress = new LoadProgress("a.gguf", streams, () -> nanos);
    try (progress) {
      for (long done = 1; done <= TENSORS; done++) {
        nanos += millis * 1_000_000;
        progress.loaded(done * TENSOR_BYTES, TENSORS * TENSOR_BYTES);
      }
    }
    progress.loaded(0, TENSOR_BYTES);
    stream.flush();
    return err.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({"5, true, false", "9, true, false", "20, true, true", "20, false, false"})
  void aPersonSeesABarOfWhatTakesLong(long millis, boolean terminal, boolean bar) {
    String shown = shown(millis, terminal);
    if (bar) {
      assertThat(shown).contains("a.gguf").contains("500/500MiB");
    } else {
      assertThat(shown).isEmpty();
    }
  }
}
