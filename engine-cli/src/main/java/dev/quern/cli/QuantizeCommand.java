package dev.quern.cli;

import dev.quern.core.format.Quantizer;
import dev.quern.core.format.Quantizers;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufQuantizer;
import dev.quern.gguf.GgufTensor;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code quern quantize}: a GGUF file with its weights rounded. */
@Command(
    name = "quantize",
    versionProvider = QuernVersion.class,
    description = {
      "Round the weights of a F32, F16 or BF16 GGUF file to a smaller format.",
      "Norms, biases and expert routers stay as they are; with TQ1_0 and TQ2_0, which are for"
          + " models trained ternary, so do embedding and output."
    })
final class QuantizeCommand extends Subcommand {
  /** Formats that files are rounded to. */
  enum Type {
    Q8_0,
    Q4_0,
    TQ2_0,
    TQ1_0;

    Quantizer quantizer() {
      return Quantizers.of(WeightFormats.byName(name()).orElseThrow()).orElseThrow();
    }
  }

  @Parameters(
      index = "0",
      paramLabel = "IN",
      description = "GGUF file, or any part of one that is split.")
  private Path in = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "File to write, or to replace.")
  private Path out = Path.of("");

  @Option(
      names = "--type",
      required = true,
      paramLabel = "Q8_0|Q4_0|TQ2_0|TQ1_0",
      description = "What to round to.")
  private Type type = Type.Q8_0;

  QuantizeCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    if (Files.exists(out) && Files.isSameFile(in, out)) {
      throw new UsageException("OUT: must be another file than IN but is " + out);
    }
    Path part = out.resolveSibling(out.getFileName() + ".part");
    try (GgufFile file = GgufFile.open(in)) {
      // An interrupted run leaves no half of a file behind, under any name.
      part.toFile().deleteOnExit();
      write(file, part);
      move(part);
      streams
          .err()
          .printf(
              "%s: %s, %.1f MB of %.1f MB%n", out, type, Files.size(out) / 1e6, file.bytes() / 1e6);
    } finally {
      Files.deleteIfExists(part);
    }
    return 0;
  }

  private void write(GgufFile file, Path part) throws IOException {
    long total = file.tensors().stream().mapToLong(GgufTensor::bytes).sum();
    try (OutputStream stream = new BufferedOutputStream(Files.newOutputStream(part));
        LoadProgress progress = new LoadProgress(file.name(), streams)) {
      new GgufQuantizer(type.quantizer())
          .quantize(file, stream, done -> progress.loaded(done, total));
    }
  }

  private void move(Path part) throws IOException {
    try {
      Files.move(part, out, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, out, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
