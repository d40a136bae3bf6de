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
    CommandLine command = commandLine(streams);
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

  private static CommandLine commandLine(Streams streams) {
    CommandLine command =
        new CommandLine(new QuernCommand())
            .addSubcommand(new GenerateCommand(streams))
            .addSubcommand(new ChatCommand(streams))
            .addSubcommand(new DevicesCommand(streams))
            .addSubcommand(new InspectCommand(streams))
            .addSubcommand(new QuantizeCommand(streams))
            .addSubcommand(new MergeCommand(streams))
            .addSubcommand(new TokenizeCommand(streams))
            .addSubcommand(new LogitsCommand(streams))
            .addSubcommand(new EmbedCommand(streams))
            .addSubcommand(new PlanCommand(streams))
            .addSubcommand(new ExplainCommand(streams))
            .addSubcommand(new ProfileCommand(streams))
            .addSubcommand(new BenchCommand(streams));
    return command
        .setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setAbbreviatedOptionsAllowed(false);
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
