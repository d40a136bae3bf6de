package dev.quern.cli;

import dev.quern.core.Precision;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code quern explain}: what the backend made of the model. */
@Command(
    name = "explain",
    versionProvider = QuernVersion.class,
    description = "Show what the backend made of the batches for decoding and for prompts.")
final class ExplainCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();

  ExplainCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    try (Loaded loaded = Loaded.load(model, Precision.FAST, streams)) {
      streams.out().println(model.describe(loaded.backend(), Precision.FAST));
      streams.out().println(loaded.model().explain());
    }
    return 0;
  }
}
