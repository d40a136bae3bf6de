package dev.quern.cli;

import java.util.function.Consumer;

/** Streams text to standard output. */
final class Printer {
  private Printer() {}

  /** Writes each piece at once; runs {@code onClosed} when nobody reads any more. */
  static Consumer<String> to(Streams streams, Runnable onClosed) {
    return piece -> {
      streams.out().print(piece);
      if (streams.out().checkError()) {
        onClosed.run();
      }
    };
  }
}
