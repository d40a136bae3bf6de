package dev.quern.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Fixed threads that run a task together. The caller of {@link #run} is worker 0; the others spin
 * for a while after each task, then park. Between the waves of a task all meet at {@link #barrier},
 * which spins and then yields, because waves are microseconds long. Nothing is allocated.
 */
final class Workers implements AutoCloseable {
  /** What all workers run at once. */
  interface Task {
    /** Runs the share of worker {@code worker}; must not throw. */
    void run(int worker);
  }

  /** Spins before yielding or parking: some 20 to 50 microseconds. */
  private static final int SPINS = 1 << 12;

  /** Yields between spinning and parking, for machines with more threads than cores. */
  private static final int YIELDS = 64;

  private final Thread[] threads;
  private final int count;
  private final AtomicInteger arrived = new AtomicInteger();
  private volatile int phase;
  private final AtomicInteger started = new AtomicInteger();
  private volatile @Nullable Task task;
  private volatile boolean closed;

  Workers(int count) {
    this.count = count;
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
    started.incrementAndGet();
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    next.run(0);
    barrier();
    task = null;
  }

  /** Waits until all workers are here. */
  @SuppressWarnings("ThreadPriorityCheck") // the other may need this core
  void barrier() {
    int here = phase;
    if (arrived.incrementAndGet() == count) {
      arrived.set(0);
      phase = here + 1;
      return;
    }
    for (int spins = 0; phase == here; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private void loop(int worker) {
    int done = 0;
    while (await(done)) {
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
  private boolean await(int done) {
    for (int spins = 0; started.get() == done; spins++) {
      if (closed) {
        return false;
      }
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else if (spins < SPINS + YIELDS) {
        Thread.yield();
      } else {
        LockSupport.park(this);
      }
    }
    return true;
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
