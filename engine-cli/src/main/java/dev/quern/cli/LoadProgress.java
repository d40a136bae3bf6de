package dev.quern.cli;

import dev.quern.transformer.LoadOptions;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * A progress bar on standard error while weights are loaded: nothing unless a person watches, and
 * nothing if it is over in a second, as far as its first tenth tells.
 */
final class LoadProgress implements LoadOptions.Progress, AutoCloseable {
  private static final long LONG_NANOS = 1_000_000_000L;
  private static final long FIRST_NANOS = LONG_NANOS / 10;
  private static final int COLUMNS = 80;
  private static final int UPDATE_MILLIS = 100;

  private final String name;
  private final Streams streams;
  private final LongSupplier clock;
  private long firstDone = -1;
  private long firstNanos;
  private @Nullable ProgressBar bar;
  private boolean closed;

  LoadProgress(String name, Streams streams) {
    this(name, streams, System::nanoTime);
  }

  /**
   * @param clock nanoseconds
   */
  LoadProgress(String name, Streams streams, LongSupplier clock) {
    this.name = name;
    this.streams = streams;
    this.clock = clock;
  }

  @Override
  public void loaded(long done, long total) {
    // closed: the model moves to another backend while it runs, which the log says
    if (closed || !streams.terminal() || (bar == null && !takesLong(done, total))) {
      return;
    }
    if (bar == null) {
      bar = start(total);
    }
    bar.stepTo(done);
  }

  private boolean takesLong(long done, long total) {
    long now = clock.getAsLong();
    if (firstDone < 0) {
      firstDone = done;
      firstNanos = now;
    }
    long nanos = now - firstNanos;
    double share = (double) (done - firstDone) / (total - firstDone);
    return nanos >= FIRST_NANOS && nanos >= share * LONG_NANOS;
  }

  private ProgressBar start(long total) {
    return new ProgressBarBuilder()
        .setTaskName(name.length() > 30 ? "…" + name.substring(name.length() - 29) : name)
        .setInitialMax(total)
        .setUnit("MiB", 1L << 20)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(UPDATE_MILLIS)
        .setConsumer(new ConsoleProgressBarConsumer(streams.err(), COLUMNS))
        .build();
  }

  @Override
  public void close() {
    closed = true;
    if (bar != null) {
      bar.close();
    }
  }
}
