package dev.quern.cli;

import picocli.CommandLine.Option;

/** Options of every command; picocli writes and reads the fields. */
final class StandardOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  @Option(names = "--version", versionHelp = true, description = "Print the version and exit.")
  boolean version;

  @Option(names = "--verbose", description = "Show more of what happens, and traces of errors.")
  boolean verbose;
}
