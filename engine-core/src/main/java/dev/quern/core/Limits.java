package dev.quern.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * What a device was measured to reach at best: the ceilings of its roofline (<a
 * href="https://doi.org/10.1145/1498765.1498785">Williams et al. 2009</a>).
 *
 * @param readBytesPerSecond bytes read from memory, with every core, from a range larger than the
 *     caches
 * @param flopsPerSecond float32 operations of independent fused multiply-adds, two each
 */
public record Limits(double readBytesPerSecond, double flopsPerSecond) {
  private static final int LONGS = 8 << 20;
  private static final int CHAINS = 8;
  private static final int STEPS = 1 << 20;
  private static final int LEAST_REPEATS = 9;
  private static final long SETTLED_NANOS = 300_000_000L;
  private static final long MOST_NANOS = 3_000_000_000L;

  /**
   * Measures what plain Java reaches on so many threads, in a second or two.
   *
   * @throws IllegalArgumentException if there is not at least one thread
   */
  public static Limits ofHost(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: must be at least 1 but are " + threads);
    }
    long[][] parts = new long[threads][LONGS];
    double read =
        parallel(threads, thread -> sum(parts[thread])) * threads * LONGS * (double) Long.BYTES;
    double flops = parallel(threads, thread -> chains()) * threads * 2.0 * CHAINS * STEPS;
    return new Limits(read, flops);
  }

  /**
   * The best of many measurements, each of which answers a rate. They go on until none was better
   * by a hundredth for a third of a second, because C2 may compile their loops late, for three
   * seconds at most.
   */
  public static double best(DoubleSupplier rate) {
    double best = 0;
    long start = System.nanoTime();
    long better = start;
    long now = start;
    for (int i = 0;
        i < LEAST_REPEATS || (now - better < SETTLED_NANOS && now - start < MOST_NANOS);
        i++) {
      double next = rate.getAsDouble();
      now = System.nanoTime();
      if (next > 1.01 * best) {
        better = now;
      }
      best = Math.max(best, next);
    }
    return best;
  }

  /** Work of one thread. Its result keeps the compiler from leaving it out. */
  private interface Work {
    double run(int thread);
  }

  /** How often a second all threads get through their work. */
  private static double parallel(int threads, Work work) {
    double[] results = new double[threads];
    return best(() -> {
      List<Thread> others = new ArrayList<>();
      long start = System.nanoTime();
      for (int i = 1; i < threads; i++) {
        int thread = i;
        others.add(Thread.ofPlatform().start(() -> results[thread] = work.run(thread)));
      }
      results[0] = work.run(0);
      others.forEach(Limits::join);
      double seconds = 1e-9 * Math.max(1, System.nanoTime() - start);
      if (Double.isNaN(Arrays.stream(results).sum())) {
        throw new IllegalStateException("limits: a sum of finite numbers must not be NaN");
      }
      return 1 / seconds;
    });
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static double sum(long[] values) {
    long sum = 0;
    for (long value : values) {
      sum += value;
    }
    return sum;
  }

  private static double chains() {
    float[] sums = new float[CHAINS];
    for (int step = 0; step < STEPS; step++) {
      for (int chain = 0; chain < CHAINS; chain++) {
        sums[chain] = Math.fma(sums[chain], 0.5f, 1f);
      }
    }
    float sum = 0;
    for (float chain : sums) {
      sum += chain;
    }
    return sum;
  }
}
