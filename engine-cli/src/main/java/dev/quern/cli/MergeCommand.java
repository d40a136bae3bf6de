package dev.quern.cli;

import dev.quern.gguf.GgufFile;
import dev.quern.transformer.Lora;
import dev.quern.transformer.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code quern merge}: a GGUF file with LoRA adapters added to its weights. */
@Command(
    name = "merge",
    versionProvider = QuernVersion.class,
    description = {
      "Add LoRA adapters to the weights of a GGUF file.",
      "Weights that an adapter changes become F32, all else stays as it is; quern quantize makes"
          + " the result small again."
    })
final class MergeCommand extends Subcommand {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "GGUF file, or any part of one that is split.")
  private Path in = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "File to write, or to replace.")
  private Path out = Path.of("");

  @Mixin private LoraOptions lora = new LoraOptions();

  MergeCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    List<LoraOptions.Weighted> wanted = lora.parsed();
    if (wanted.isEmpty()) {
      throw new UsageException("--lora: merge must have at least one adapter but has none");
    }
    if (Files.exists(out) && Files.isSameFile(in, out)) {
      throw new UsageException("OUT: must be another file than MODEL but is " + out);
    }
    List<Lora.Weighted> adapters = new ArrayList<>();
    try (ModelSource model = ModelSource.of(GgufFile.open(in))) {
      for (LoraOptions.Weighted one : wanted) {
        adapters.add(new Lora.Weighted(Lora.read(one.file(), model.metadata()), one.weight()));
      }
      NewFile.write(out, stream -> Lora.write(model, adapters, stream));
    } finally {
      adapters.forEach(adapter -> adapter.lora().close());
    }
    streams.err().printf("%s: %.1f MB%n", out, Files.size(out) / 1e6);
    return 0;
  }
}
