package dev.quern.bench;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.fable.FableModels;
import dev.quern.gguf.GgufFile;
import dev.quern.tokenizer.Tokenizer;
import dev.quern.tokenizer.Tokenizers;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.LoadOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long does the host need for text and files? A text of some 64 KiB to tokens, limited by the
 * merges of its words; a GGUF file to its metadata, limited by the names in it; and to a model
 * ready to run, limited by what a backend does to the weights.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class FilesBench {
  private static final String SENTENCE =
      "Once upon a time, a small fox named Mira found 17 lanterns by the river; "
          + "\"Who left these here?\" she asked the owl. Es war schon spät — naïve moths came.\n";

  /** Which built-in model. */
  @Param("fable-7m-q4_k_m")
  public String model = "fable-7m-q4_k_m";

  private final String text = SENTENCE.repeat((64 << 10) / SENTENCE.length());
  private Path file = Path.of("");
  private @Nullable Tokenizer tokenizer;
  private @Nullable Backend backend;

  /** Made by JMH. */
  public FilesBench() {}

  /** Writes the model to a file. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    file = Files.createTempFile("quern-bench", ".gguf");
    try (InputStream stream = FableModels.find(model).orElseThrow().open()) {
      Files.copy(stream, file, StandardCopyOption.REPLACE_EXISTING);
    }
    try (GgufFile opened = GgufFile.open(file)) {
      Tokenizer made = Tokenizers.from(opened.metadata());
      tokenizer = made;
      int[] tokens = made.encode(text, false, true);
      StringBuilder back = new StringBuilder();
      for (int token : tokens) {
        back.append(made.text(token));
      }
      System.out.printf("# path: %d characters, %d tokens%n", text.length(), tokens.length);
      if (tokens.length < text.length() / 16 || back.length() < text.length() / 2) {
        throw new IllegalStateException("tokenizer: must make tokens of the text but does not");
      }
    }
    backend = Backends.open("cpu");
  }

  /** Text to tokens. */
  @Benchmark
  public int[] tokenize() {
    return Objects.requireNonNull(tokenizer).encode(text, false, true);
  }

  /** A file to metadata and tensors. */
  @Benchmark
  public int openFile() throws IOException {
    try (GgufFile opened = GgufFile.open(file)) {
      return opened.tensors().size();
    }
  }

  /** A file to a model on the CPU. */
  @Benchmark
  public int loadModel() throws IOException {
    try (LanguageModel loaded =
        LanguageModel.load(
            file, Objects.requireNonNull(backend), LoadOptions.fast().withContext(64))) {
      return loaded.vocabulary();
    }
  }

  /** Deletes the file. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    Objects.requireNonNull(backend).close();
    Files.delete(file);
  }
}
