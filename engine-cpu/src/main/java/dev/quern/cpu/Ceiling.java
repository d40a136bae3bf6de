package dev.quern.cpu;

import dev.quern.core.Limits;
import dev.quern.cpu.kernel.Ceilings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/** Measures what all workers together reach. */
final class Ceiling {
  /** More than a last-level cache holds. */
  private static final long BYTES = 256L << 20;

  private static final long PIECE = 256L * Ceilings.UNIT;

  private static final int STEPS = 1 << 20;

  private final Ceilings loops;
  private final Workers workers;
  private final float[] results;

  Ceiling(Ceilings loops, Workers workers) {
    this.loops = loops;
    this.workers = workers;
    results = new float[workers.count()];
  }

  Limits measure() {
    try (Arena arena = Arena.ofShared()) {
      long share = BYTES / workers.count() / Ceilings.UNIT * Ceilings.UNIT;
      MemorySegment x = arena.allocate(share * workers.count(), 64);
      // written, or all of it would be one page of zeros
      x.fill((byte) 1);
      double read =
          rate((double) x.byteSize(), worker -> results[worker] = sum(x, worker * share, share));
      double flops =
          rate(
              (double) workers.count() * STEPS * loops.flopsPerStep(),
              worker -> results[worker] = loops.chains(STEPS));
      for (float result : results) {
        if (!Float.isFinite(result)) {
          throw new IllegalStateException("limits: sums must be finite but one is " + result);
        }
      }
      return new Limits(read, flops);
    }
  }

  /** Piece by piece: one long call would end before C2 has made good code of its loop. */
  private float sum(MemorySegment x, long at, long bytes) {
    float sum = 0;
    for (long i = 0; i < bytes; i += PIECE) {
      sum += loops.sum(x, at + i, Math.min(PIECE, bytes - i));
    }
    return sum;
  }

  private double rate(double amount, IntConsumer work) {
    return Limits.best(() -> {
      long start = System.nanoTime();
      workers.run(work::accept);
      return amount * 1e9 / Math.max(1, System.nanoTime() - start);
    });
  }
}
