package dev.quern.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code quern}: runs transformer language models on whatever hardware a JVM finds. */
@Command(
    name = "quern",
    versionProvider = QuernVersion.class,
    description = "Runs transformer language models on whatever hardware a JVM finds.")
public final class QuernCommand implements Runnable {
  /** In the order in which help lists them. */
  private enum Name {
    GENERATE,
    CHAT,
    DEVICES,
    INSPECT,
    QUANTIZE,
    MERGE,
    TOKENIZE,
    LOGITS,
    EMBED,
    PLAN,
    EXPLAIN,
    PROFILE,
    BENCH;

    private final String text = name().toLowerCase(Locale.ROOT);
  }

  @Mixin final StandardOptions standard = new StandardOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Runs the command and exits with its status. */
  public static void main(String[] arguments) {
    Terminal.eraseIncubatorWarning();
    System.exit(run(Streams.standard(), arguments));
  }

  /** Runs the command and answers its exit status. */
  static int run(Streams streams, String... arguments) {
    Logger log = Logging.install(streams.err(), List.of(arguments).contains("--verbose"));
    Failures failures = new Failures(streams.err());
    CommandLine command = commandLine(streams, arguments);
    failures.install(command);
    try {
      return command.execute(arguments);
    } catch (Error e) {
      return failures.failed(e, List.of(arguments).contains("--verbose"));
    } finally {
      streams.out().flush();
      streams.err().flush();
      log.getHandlers()[0].flush();
    }
  }

  private static CommandLine commandLine(Streams streams, String... arguments) {
    CommandLine command = new CommandLine(new QuernCommand());
    for (Name name : wanted(arguments)) {
      command.addSubcommand(name.text, subcommand(name, streams));
    }
    return command
        .setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setAbbreviatedOptionsAllowed(false);
  }

  /**
   * The command that the first argument names, or all for help and errors: picocli looks at each by
   * reflection, which for all takes a tenth of a second of a start.
   */
  private static Name[] wanted(String... arguments) {
    for (Name name : Name.values()) {
      if (arguments.length > 0 && name.text.equals(arguments[0])) {
        return new Name[] {name};
      }
    }
    return Name.values();
  }

  // no map of constructors: each lambda would cost a millisecond of every start
  private static Subcommand subcommand(Name name, Streams streams) {
    return switch (name) {
      case GENERATE -> new GenerateCommand(streams);
      case CHAT -> new ChatCommand(streams);
      case DEVICES -> new DevicesCommand(streams);
      case INSPECT -> new InspectCommand(streams);
      case QUANTIZE -> new QuantizeCommand(streams);
      case MERGE -> new MergeCommand(streams);
      case TOKENIZE -> new TokenizeCommand(streams);
      case LOGITS -> new LogitsCommand(streams);
      case EMBED -> new EmbedCommand(streams);
      case PLAN -> new PlanCommand(streams);
      case EXPLAIN -> new ExplainCommand(streams);
      case PROFILE -> new ProfileCommand(streams);
      case BENCH -> new BenchCommand(streams);
    };
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "command: must be one of "
            + String.join(", ", spec.subcommands().keySet())
            + " but is missing");
  }
}
