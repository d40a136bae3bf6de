package dev.quern.cli;

/** What the command does to the terminal itself. */
final class Terminal {
  /** System property with which the launcher says that stderr is a terminal. */
  static final String ERASE = "quern.erase";

  private Terminal() {}

  /**
   * Takes back the line that the JVM prints about incubator modules before {@code main} and that no
   * option turns off. The launcher asks for it ({@code quern.erase}) when stderr is a terminal;
   * elsewhere it filters the line out itself.
   */
  static void eraseIncubatorWarning() {
    if (Boolean.getBoolean(ERASE)) {
      System.err.print("\033[1A\033[2K\r");
      System.err.flush();
    }
  }
}
