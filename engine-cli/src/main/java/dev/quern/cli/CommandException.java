package dev.quern.cli;

/** The command failed for a reason of its own: exit status 1. */
final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CommandException(String message) {
    super(message);
  }
}
