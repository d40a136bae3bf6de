package dev.quern.cli;

import dev.quern.core.Backend;
import dev.quern.core.Precision;
import dev.quern.transformer.LanguageModel;
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
    try (Backend backend = model.openBackend();
        LanguageModel loaded = model.load(backend, Precision.FAST, streams)) {
      streams.out().println(model.describe(backend, Precision.FAST));
      streams.out().println(loaded.explain());
    }
    return 0;
  }
}
