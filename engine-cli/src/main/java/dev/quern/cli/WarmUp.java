package dev.quern.cli;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs something again and again until the JVM has compiled it: in windows of at least a second,
 * until in one the compilers were busy for less than a fifth of it and a run took no less than 95 %
 * of what it took in the window before. C2 takes seconds for the vector kernels, each vector being
 * an object until then: a decode step of fable-7m takes 450 ms at first, 4 ms after 5 s and 0.4 ms
 * after 7 (AMD Zen 3, two virtual cores, JDK 25.0.3, 2026-11-21).
 */
final class WarmUp {
  private static final System.Logger LOG = System.getLogger(WarmUp.class.getName());

  private static final long WINDOW_NANOS = 1_000_000_000L;
  private static final double BUSY = 0.2;
  private static final double FALLING = 0.95;

  private final long mostNanos;
  private final LongSupplier nanos;
  private final LongSupplier compilerMillis;

  /** At most so long, but at least one run. */
  WarmUp(int mostSeconds) {
    this(mostSeconds, System::nanoTime, compilers(ManagementFactory.getCompilationMXBean()));
  }

  /**
   * With other clocks.
   *
   * @param mostSeconds the longest warm-up
   * @param nanos the time
   * @param compilerMillis how long the compilers have been busy
   */
  WarmUp(int mostSeconds, LongSupplier nanos, LongSupplier compilerMillis) {
    mostNanos = mostSeconds * 1_000_000_000L;
    this.nanos = nanos;
    this.compilerMillis = compilerMillis;
  }

  /** Time of all compilers together; a JVM that has none or does not say is taken to be warm. */
  private static LongSupplier compilers(@Nullable CompilationMXBean compilers) {
    return compilers == null || !compilers.isCompilationTimeMonitoringSupported()
        ? () -> 0
        : compilers::getTotalCompilationTime;
  }

  /**
   * A stretch of runs.
   *
   * @param nanosPerRun mean time of a run
   * @param busy time of the compilers as a share of the time
   */
  private record Window(double nanosPerRun, double busy) {}

  /** Runs until warm. */
  void run(Runnable work) {
    long start = nanos.getAsLong();
    Window before = window(work);
    Window now = before;
    boolean falling = true;
    while ((falling || now.busy >= BUSY) && nanos.getAsLong() - start < mostNanos) {
      now = window(work);
      falling = now.nanosPerRun < FALLING * before.nanosPerRun;
      before = now;
    }
    if (mostNanos > 0 && now.busy >= BUSY) {
      LOG.log(
          System.Logger.Level.WARNING,
          String.format(
              Locale.ROOT,
              "warm-up: compilers must be done after %d s but were busy for %.0f %% of the"
                  + " last; give --warm-up more seconds, or what is measured is partly cold",
              mostNanos / 1_000_000_000L,
              100 * now.busy));
    }
  }

  private Window window(Runnable work) {
    long start = nanos.getAsLong();
    long compiled = compilerMillis.getAsLong();
    int runs = 0;
    long took;
    do {
      work.run();
      runs++;
      took = nanos.getAsLong() - start;
    } while (took < Math.min(WINDOW_NANOS, mostNanos));
    return new Window(
        (double) took / runs, 1e6 * (compilerMillis.getAsLong() - compiled) / (double) took);
  }
}
