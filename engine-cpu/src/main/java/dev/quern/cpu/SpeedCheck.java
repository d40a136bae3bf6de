package dev.quern.cpu;

import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Notices a JVM on which vector code is correct but slow: without C2, or where it gave up, each
 * vector is an object on the heap and code runs 50 to 500 times slower.
 *
 * <p>The check runs a small kernel for a few milliseconds: when a backend is opened, so that the
 * JVM starts to compile it, and again some seconds later. One good result is enough. C2 may give up
 * on a large kernel alone, so the rate at which batches of few rows read weights is judged too.
 */
final class SpeedCheck {
  private static final System.Logger LOG = System.getLogger(SpeedCheck.class.getName());

  /** Elements per second that even an old laptop exceeds twenty times, and boxed vectors miss. */
  private static final double LEAST = 2e8;

  /** Bytes of weights per second that one core of an old laptop exceeds three times. */
  private static final double LEAST_READ = 3e8;

  /** Batches that read less say nothing. */
  private static final long BYTES = 8 << 20;

  /** Batches that were seen when compiling must be over. */
  private static final int BATCHES = 64;

  private static final int ELEMENTS = 4096;
  private static final long NANOS = 5_000_000;

  /** Nanoseconds after which the check is repeated: compiling takes its time on a busy machine. */
  private static final long[] DUE = {0, 2_000_000_000L, 20_000_000_000L};

  private final RowMath math;
  private final System.Logger log;
  private int checks;
  private int batches;
  private double bestRead;

  SpeedCheck(RowMath math) {
    this(math, LOG);
  }

  SpeedCheck(RowMath math, System.Logger log) {
    this.math = math;
    this.log = log;
  }

  /** Runs the check if it is due so many nanoseconds after the backend was opened. */
  void after(long nanos) {
    if (checks == DUE.length || nanos < DUE[checks]) {
      return;
    }
    checks++;
    double rate = rate();
    if (rate >= LEAST) {
      checks = DUE.length;
    } else if (checks == DUE.length) {
      log.log(
          System.Logger.Level.WARNING,
          "cpu: vector code must run compiled but reaches only {0} million elements a second;"
              + " start java without -Xint and -XX:TieredStopAtLevel, on a JVM with the C2 compiler",
          Math.round(rate / 1e6));
    }
  }

  /** Takes note that a batch of few rows read so many bytes of weights in that time. */
  void read(long bytes, long nanos) {
    if (bytes < BYTES || batches == BATCHES) {
      return;
    }
    bestRead = Math.max(bestRead, 1e9 * bytes / Math.max(1, nanos));
    batches = bestRead >= LEAST_READ ? BATCHES : batches + 1;
    if (batches == BATCHES && bestRead < LEAST_READ) {
      log.log(
          System.Logger.Level.WARNING,
          "cpu: products must read at least {0} MB of weights a second but read {1}; the JVM does"
              + " not compile their vector code, or the machine is busy with other work",
          Math.round(LEAST_READ / 1e6),
          Math.round(bestRead / 1e6));
    }
  }

  /**
   * The best rate seen within the time of a check. The arena is shared as those of all operands
   * are: loads from a confined one teach C2 to compile two versions of each loop over segments, for
   * which registers run out.
   */
  private double rate() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment x = arena.allocate(4L * ELEMENTS, 64);
      double best = 0;
      long start = System.nanoTime();
      for (long now = start; now - start < NANOS && best < LEAST; ) {
        math.add(x, 0, x, 0, x, 0, ELEMENTS);
        long then = System.nanoTime();
        best = Math.max(best, 1e9 * ELEMENTS / Math.max(1, then - now));
        now = then;
      }
      return best;
    }
  }
}
