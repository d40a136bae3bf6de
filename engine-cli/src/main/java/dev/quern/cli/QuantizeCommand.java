package dev.quern.cli;

import dev.quern.core.format.Quantizer;
import dev.quern.core.format.Quantizers;
import dev.quern.core.format.WeightFormats;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufQuantizer;
import dev.quern.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    try (GgufFile file = GgufFile.open(in);
        LoadProgress progress = new LoadProgress(file.name(), streams)) {
      long total = file.tensors().stream().mapToLong(GgufTensor::bytes).sum();
      NewFile.write(
          out,
          stream ->
              new GgufQuantizer(type.quantizer())
                  .quantize(file, stream, done -> progress.loaded(done, total)));
      streams
          .err()
          .printf(
              "%s: %s, %.1f MB of %.1f MB%n", out, type, Files.size(out) / 1e6, file.bytes() / 1e6);
    }
    return 0;
  }
}
