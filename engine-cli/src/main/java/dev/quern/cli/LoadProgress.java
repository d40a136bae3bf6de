package dev.quern.cli;

import dev.quern.transformer.LoadOptions;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A progress bar on standard error while a large model loads; nothing unless a person watches. */
final class LoadProgress implements LoadOptions.Progress, AutoCloseable {
  private static final long LARGE_BYTES = 256L << 20;
  private static final int COLUMNS = 80;

  private final String name;
  private final Streams streams;
  private @Nullable ProgressBar bar;
  private boolean closed;

  LoadProgress(String name, Streams streams) {
    this.name = name;
    this.streams = streams;
  }

  @Override
  public void loaded(long done, long total) {
    // closed: the model moves to another backend while it runs, which the log says
    if (closed || !streams.terminal() || total < LARGE_BYTES) {
      return;
    }
    if (bar == null) {
      bar = start(total);
    }
    bar.stepTo(done);
  }

  private ProgressBar start(long total) {
    return new ProgressBarBuilder()
        .setTaskName(name.length() > 30 ? "…" + name.substring(name.length() - 29) : name)
        .setInitialMax(total)
        .setUnit("MiB", 1L << 20)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis((int) Duration.ofMillis(100).toMillis())
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
