package dev.quern.cpu;

import dev.quern.core.StepTime;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Runs steps one after the other, each on all workers, and takes the time of each. */
final class StepClock {
  private final CpuBackend backend;
  private final Workers workers;
  private final Frame frame;

  StepClock(CpuBackend backend, Workers workers, Frame frame) {
    this.backend = backend;
    this.workers = workers;
    this.frame = frame;
  }

  /** Runs a step; throws what a worker ran into. */
  StepTime time(Step step) {
    Shared shared = new Shared(step);
    long start = System.nanoTime();
    workers.run(shared);
    long nanos = System.nanoTime() - start;
    shared.check();
    return new StepTime(step.ops(), step.explain(), nanos);
  }

  /** A step that the workers share. */
  private final class Shared implements Workers.Task {
    private final Step step;
    private final int units;
    private final AtomicInteger claimed = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    Shared(Step step) {
      this.step = step;
      units = step.units(frame);
    }

    @Override
    public void run(int number) {
      Worker worker = backend.worker(number);
      try {
        for (int unit = claimed.getAndIncrement();
            unit < units && failure == null;
            unit = claimed.getAndIncrement()) {
          step.run(frame, worker, unit);
        }
      } catch (RuntimeException | Error e) {
        failure = e;
      }
    }

    void check() {
      switch (failure) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }
  }
}
