package dev.quern.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
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
  private static final List<String> NAMES =
      List.of(
          "generate",
          "chat",
          "devices",
          "inspect",
          "quantize",
          "merge",
          "tokenize",
          "logits",
          "embed",
          "plan",
          "explain",
          "profile",
          "bench");

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

  /**
   * With the command that the first argument names, or with all for help and errors: picocli looks
   * at each by reflection, which for all takes a tenth of a second of a start.
   */
  private static CommandLine commandLine(Streams streams, String... arguments) {
    CommandLine command = new CommandLine(new QuernCommand());
    boolean named = arguments.length > 0 && NAMES.contains(arguments[0]);
    for (String name : named ? List.of(arguments[0]) : NAMES) {
      command.addSubcommand(name, subcommand(name, streams));
    }
    return command
        .setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setAbbreviatedOptionsAllowed(false);
  }

  // no map of constructors: each lambda would cost a millisecond of every start
  private static Subcommand subcommand(String name, Streams streams) {
    return switch (name) {
      case "generate" -> new GenerateCommand(streams);
      case "chat" -> new ChatCommand(streams);
      case "devices" -> new DevicesCommand(streams);
      case "inspect" -> new InspectCommand(streams);
      case "quantize" -> new QuantizeCommand(streams);
      case "merge" -> new MergeCommand(streams);
      case "tokenize" -> new TokenizeCommand(streams);
      case "logits" -> new LogitsCommand(streams);
      case "embed" -> new EmbedCommand(streams);
      case "plan" -> new PlanCommand(streams);
      case "explain" -> new ExplainCommand(streams);
      case "profile" -> new ProfileCommand(streams);
      case "bench" -> new BenchCommand(streams);
      default -> throw new IllegalArgumentException("command: must be known but is " + name);
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
