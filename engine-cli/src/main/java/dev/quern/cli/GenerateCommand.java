package dev.quern.cli;

import dev.quern.core.Precision;
import dev.quern.transformer.Generation;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.Session;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern generate}: continues a text. */
@Command(
    name = "generate",
    versionProvider = QuernVersion.class,
    description = "Continue a text. Standard output carries what is generated and nothing else.")
final class GenerateCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private LoraOptions lora = new LoraOptions();
  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @ArgGroup(multiplicity = "1")
  private Prompt prompt = new Prompt();

  GenerateCommand(Streams streams) {
    super(streams);
  }

  /** The text, one way or another. */
  static final class Prompt {
    @Option(
        names = {"-p", "--prompt"},
        paramLabel = "TEXT",
        description = "Text to continue. Special tokens in it are parsed.")
    private @Nullable String text;

    @Option(
        names = "--prompt-file",
        paramLabel = "FILE",
        description = "File with the text to continue, in UTF-8; - for standard input.")
    private @Nullable String file;

    String read(Streams streams) throws IOException {
      if (text != null) {
        return text;
      }
      return new String(
          "-".equals(file)
              ? streams.in().readAllBytes()
              : Files.readAllBytes(Path.of(String.valueOf(file))),
          StandardCharsets.UTF_8);
    }
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = sampling.options();
    String text = prompt.read(streams);
    try (Loaded loaded = Loaded.load(model, Precision.FAST, lora, streams);
        Session session = loaded.newSession()) {
      Generation generation = session.generate(text, options, Printer.to(streams, session::cancel));
      streams.out().flush();
      if (streams.terminal()) {
        streams.say("");
      }
      streams.say(
          SamplingOptions.speed(generation, model.describe(loaded.backend(), Precision.FAST)));
    }
    return 0;
  }
}
