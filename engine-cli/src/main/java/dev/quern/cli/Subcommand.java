package dev.quern.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** What all commands below {@code quern} share. */
abstract class Subcommand implements Callable<Integer> {
  /** What the command reads and writes. */
  final Streams streams;

  /** Options of every command. */
  @Mixin final StandardOptions standard = new StandardOptions();

  Subcommand(Streams streams) {
    this.streams = streams;
  }
}
