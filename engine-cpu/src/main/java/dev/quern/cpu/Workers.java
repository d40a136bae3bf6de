package dev.quern.cpu;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Fixed threads that run a task together. The caller of {@link #run} is worker 0; the others spin
 * for a while after each task, so that they are there when the next token's comes, then park.
 * Between the waves of a task all meet at {@link #barrier}, which spins, because waves are
 * microseconds long. With more workers than processors, who spins keeps others from running, so
 * that both soon give the processor up. Nothing is allocated.
 */
final class Workers implements AutoCloseable {
  /** What all workers run at once. */
  interface Task {
    /** Runs the share of worker {@code worker}; must not throw. */
    void run(int worker);
  }

  /** Spins before yielding: some 50 to 200 microseconds. */
  private static final int SPINS = 1 << 12;

  /** Nanoseconds without a task after which a worker parks. */
  private static final long IDLE = 1_000_000;

  /** Nanoseconds that a worker sleeps at a barrier if others need its processor. */
  private static final long NAP = 20_000;

  /** Distance of counters: those that some write and others wait for share no cache line. */
  private static final int PAD = 32;

  private static final int ARRIVED = PAD;
  private static final int PHASE = 2 * PAD;
  private static final int STARTED = 3 * PAD;

  /** Behind it, for each worker, whether it is parked or about to. */
  private static final int PARKED = 4 * PAD;

  private final Thread[] threads;
  private final int count;
  private final int spins;
  private final AtomicIntegerArray counters;
  private volatile @Nullable Task task;
  private volatile boolean closed;

  Workers(int count) {
    this.count = count;
    boolean room = count <= Runtime.getRuntime().availableProcessors();
    spins = room ? SPINS : 1;
    counters = new AtomicIntegerArray(PARKED + PAD * (count + 1));
    threads = new Thread[count - 1];
    for (int i = 0; i < threads.length; i++) {
      int worker = i + 1;
      threads[i] =
          Thread.ofPlatform().daemon().name("quern-cpu-" + worker).start(() -> loop(worker));
    }
  }

  /** How many workers there are, the caller included. */
  int count() {
    return count;
  }

  /** Runs a task on all workers and returns when all have passed its last barrier. */
  void run(Task next) {
    task = next;
    counters.incrementAndGet(STARTED);
    for (int worker = 1; worker < count; worker++) {
      if (counters.get(PARKED + PAD * worker) != 0) {
        LockSupport.unpark(threads[worker - 1]);
      }
    }
    next.run(0);
    barrier();
    task = null;
  }

  /** Waits until all workers are here. */
  @SuppressWarnings("ThreadPriorityCheck") // another may need this core
  void barrier() {
    int here = counters.get(PHASE);
    if (counters.incrementAndGet(ARRIVED) == count) {
      counters.set(ARRIVED, 0);
      counters.set(PHASE, here + 1);
      return;
    }
    for (int waits = 0; counters.get(PHASE) == here; waits++) {
      if (waits < spins) {
        Thread.onSpinWait();
      } else if (spins == SPINS) {
        Thread.yield();
      } else {
        LockSupport.parkNanos(this, NAP);
      }
    }
  }

  private void loop(int worker) {
    int done = 0;
    while (await(worker, done)) {
      done++;
      Task current = task;
      if (current != null) {
        current.run(worker);
        barrier();
      }
    }
  }

  /** Waits for a task after {@code done} of them; false when closed. */
  @SuppressWarnings("ThreadPriorityCheck") // parks soon after
  private boolean await(int worker, int done) {
    for (int waits = 0; waits < spins; waits++) {
      if (counters.get(STARTED) != done) {
        return true;
      }
      Thread.onSpinWait();
    }
    long start = System.nanoTime();
    while (spins == SPINS && System.nanoTime() - start < IDLE) {
      if (counters.get(STARTED) != done) {
        return true;
      }
      Thread.yield();
    }
    counters.set(PARKED + PAD * worker, 1);
    while (counters.get(STARTED) == done && !closed) {
      LockSupport.park(this);
    }
    counters.set(PARKED + PAD * worker, 0);
    return counters.get(STARTED) != done;
  }

  /** Ends the threads; no task may be running. */
  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
