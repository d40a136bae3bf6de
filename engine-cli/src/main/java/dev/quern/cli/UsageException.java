package dev.quern.cli;

/** The command was used wrongly: exit status 2. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }

  /** Refuses a number below the least that an option takes. */
  static void require(String option, int value, int least) {
    if (value < least) {
      throw new UsageException("%s: must be at least %d but is %d".formatted(option, least, value));
    }
  }
}
