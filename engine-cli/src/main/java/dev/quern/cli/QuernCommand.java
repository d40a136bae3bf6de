package dev.quern.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command {@code quern}: runs transformer language models on whatever hardware is there. */
@Command(
    name = "quern",
    description = "Runs transformer language models on whatever hardware is there.",
    mixinStandardHelpOptions = true,
    versionProvider = QuernVersion.class)
public final class QuernCommand implements Runnable {

  /** Made by picocli. */
  public QuernCommand() {}

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }

  /**
   * Runs the command and exits with its status.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    Terminal.eraseIncubatorWarning();
    System.exit(new CommandLine(new QuernCommand()).execute(args));
  }
}
