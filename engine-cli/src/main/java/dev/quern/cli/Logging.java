package dev.quern.cli;

import java.io.PrintStream;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Shows what the libraries log: warnings and worse as one line each, more if asked. */
final class Logging extends Handler {
  private final PrintStream err;
  private final SimpleFormatter formatter = new SimpleFormatter();

  private Logging(PrintStream err) {
    this.err = err;
  }

  /**
   * Sends the log of all libraries to {@code err}.
   *
   * @return the root logger; while it is held, its configuration lives
   */
  static Logger install(PrintStream err, boolean verbose) {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    Handler handler = new Logging(err);
    handler.setLevel(verbose ? Level.INFO : Level.WARNING);
    root.addHandler(handler);
    return root;
  }

  @Override
  public void publish(LogRecord record) {
    if (!isLoggable(record)) {
      return;
    }
    err.println("quern: " + formatter.formatMessage(record).replaceAll("\\s*\\R\\s*", "; "));
    if (record.getThrown() != null && getLevel().intValue() <= Level.INFO.intValue()) {
      record.getThrown().printStackTrace(err);
    }
    err.flush();
  }

  @Override
  public void flush() {
    err.flush();
  }

  @Override
  public void close() {
    err.flush();
  }
}
