package dev.quern.cli;

import dev.quern.core.Precision;
import dev.quern.transformer.Generation;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.ModelException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quern chat}: talks with a model through its own chat template. */
@Command(
    name = "chat",
    versionProvider = QuernVersion.class,
    description = {
      "Talk with a model.",
      "Without --message: type a line, read the answer; Ctrl-C stops an answer, Ctrl-D ends."
    })
final class ChatCommand extends Subcommand {
  @Mixin private ModelOptions model = new ModelOptions();
  @Mixin private LoraOptions lora = new LoraOptions();
  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What the model is told before the conversation.")
  private @Nullable String system;

  @Option(
      names = "--message",
      paramLabel = "TEXT",
      description = "Ask once: standard output carries the answer and nothing else.")
  private @Nullable String message;

  ChatCommand(Streams streams) {
    super(streams);
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = sampling.options();
    try (Loaded loaded = Loaded.load(model, Precision.FAST, lora, streams);
        Conversation conversation = new Conversation(loaded, system, streams)) {
      String where = model.describe(loaded.backend(), Precision.FAST);
      if (message != null) {
        Generation generation = conversation.answer(message, options);
        report(generation, where);
      } else {
        interact(conversation, options, where);
      }
    }
    return 0;
  }

  private void interact(Conversation conversation, GenerationOptions options, String where)
      throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
    try (Interrupts interrupts = Interrupts.handle(conversation::cancel)) {
      while (true) {
        streams.err().print("> ");
        streams.err().flush();
        String line = lines.readLine();
        if (line == null) {
          streams.say("");
          return;
        }
        if (!line.isBlank()) {
          interrupts.busy(true);
          answer(conversation, line, options, where);
          interrupts.busy(false);
        }
      }
    }
  }

  /** Answers a message; one that the context cannot hold is refused, and the talk goes on. */
  private void answer(
      Conversation conversation, String line, GenerationOptions options, String where) {
    Generation generation;
    try {
      generation = conversation.answer(line, options);
    } catch (ModelException e) {
      streams.say("quern: " + e.getMessage());
      return;
    }
    streams.out().println();
    streams.out().flush();
    if (standard.verbose) {
      report(generation, where);
    } else if (generation.end() == Generation.End.CONTEXT_FULL) {
      streams.say("quern: the context is full: the answer ends here; see --context");
    }
  }

  private void report(Generation generation, String where) {
    streams.out().flush();
    if (streams.terminal()) {
      streams.say("");
    }
    streams.say(SamplingOptions.speed(generation, where));
  }
}
