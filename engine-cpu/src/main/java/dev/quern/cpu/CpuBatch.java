package dev.quern.cpu;

import dev.quern.core.BackendException;
import dev.quern.core.Bindings;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.HostBuffer;
import dev.quern.core.Slot;
import dev.quern.core.StepTime;
import dev.quern.core.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/** A batch as waves of steps. A submit runs to its end before it returns. */
final class CpuBatch implements CompiledBatch, Workers.Task {
  /** Counters of different waves lie a cache line or more apart. */
  private static final int PAD = 32;

  private final CpuBackend backend;
  private final CommandBatch batch;
  private final Lowering.Result lowering;
  private final Arena arena = Arena.ofShared();
  private final Frame frame;
  private final Step[][] waves;

  /** For each wave, after how many units each of its steps ends. */
  private final int[][] ends;

  private final AtomicIntegerArray claimed;
  private final Slot.Bytes[] boundSlots;
  private final int[] boundMemory;
  private final Slot.Count[] counts;
  private final boolean tiled;
  private final long weightBytes;
  private final long scratchBytes;
  private volatile @Nullable Throwable failure;
  private boolean closed;

  CpuBatch(CpuBackend backend, CommandBatch batch, Lowering.Result lowering) {
    this.backend = backend;
    this.batch = batch;
    this.lowering = lowering;
    List<Step> steps = lowering.steps();
    scratchBytes = lowering.plan().scratchBytes();
    MemorySegment scratch = arena.allocate(Math.max(64, scratchBytes), 128);
    frame =
        new Frame(
            lowering.memory().segments(lowering.plan().scratch(), scratch), batch.slots().size());
    waves =
        lowering.plan().waves().stream()
            .map(wave -> wave.stream().map(steps::get).toArray(Step[]::new))
            .toArray(Step[][]::new);
    ends = new int[waves.length][];
    for (int wave = 0; wave < waves.length; wave++) {
      ends[wave] = new int[waves[wave].length];
    }
    claimed = new AtomicIntegerArray(PAD * (waves.length + 1));
    tiled = steps.stream().anyMatch(step -> step.tokens() > 0);
    weightBytes = steps.stream().mapToLong(Step::weightBytes).sum();
    List<Slot.Bytes> slots = new ArrayList<>();
    List<Integer> places = new ArrayList<>();
    Set<Slot.Bytes> bound = batch.bound();
    List<Storage> storages = lowering.memory().storages();
    for (int i = 0; i < storages.size(); i++) {
      if (storages.get(i) instanceof Slot.Bytes slot && bound.contains(slot)) {
        slots.add(slot);
        places.add(i);
      }
    }
    boundSlots = slots.toArray(Slot.Bytes[]::new);
    boundMemory = places.stream().mapToInt(Integer::intValue).toArray();
    counts =
        batch.slots().stream()
            .filter(Slot.Count.class::isInstance)
            .map(Slot.Count.class::cast)
            .toArray(Slot.Count[]::new);
  }

  @Override
  public CommandBatch batch() {
    return batch;
  }

  @Override
  public Completion submit(Bindings bindings) {
    backend.run(this, bindings);
    return Completion.DONE;
  }

  @Override
  public List<StepTime> profile(Bindings bindings) {
    return backend.profile(this, bindings);
  }

  /** Runs each step alone; called with the backend's lock held. */
  List<StepTime> time(Workers workers) {
    StepClock clock = new StepClock(backend, workers, frame);
    List<StepTime> times = new ArrayList<>();
    try {
      for (Step[] wave : waves) {
        for (Step step : wave) {
          times.add(clock.time(step));
        }
      }
      return times;
    } catch (RuntimeException | Error e) {
      failure = e;
      check();
      throw e;
    }
  }

  /** Called with the backend's lock held. */
  void bind(Bindings bindings) {
    bindings.check(batch);
    if (closed) {
      throw new IllegalStateException(
          "%s: batch must be open to be submitted but is closed".formatted(batch.name()));
    }
    for (int i = 0; i < boundSlots.length; i++) {
      frame.memory[boundMemory[i]] = HostBuffer.segment(bindings.get(boundSlots[i]));
    }
    for (Slot.Count count : counts) {
      frame.counts[count.id()] = bindings.get(count);
    }
    for (int wave = 0; wave < waves.length; wave++) {
      int end = 0;
      for (int step = 0; step < waves[wave].length; step++) {
        end += waves[wave][step].units(frame);
        ends[wave][step] = end;
      }
      claimed.set(PAD * wave, 0);
    }
    failure = null;
  }

  @Override
  public void run(int number) {
    Worker worker = backend.worker(number);
    for (int wave = 0; wave < waves.length; wave++) {
      if (wave > 0) {
        backend.barrier();
      }
      if (failure == null) {
        try {
          wave(wave, worker);
        } catch (RuntimeException | Error e) {
          failure = e;
        }
      }
    }
  }

  /** Claims units until there are no more. */
  private void wave(int wave, Worker worker) {
    int[] end = ends[wave];
    int units = end[end.length - 1];
    int step = 0;
    for (int unit = claim(wave); unit < units; unit = claim(wave)) {
      while (unit >= end[step]) {
        step++;
      }
      int first = step == 0 ? 0 : end[step - 1];
      waves[wave][step].run(frame, worker, unit - first);
    }
  }

  private int claim(int wave) {
    return claimed.getAndIncrement(PAD * wave);
  }

  /** Throws what a worker ran into. */
  void check() {
    Throwable cause = failure;
    if (cause != null) {
      throw new BackendException(
          "cpu: batch %s failed: %s".formatted(batch.name(), cause.getMessage()), cause);
    }
  }

  int waves() {
    return waves.length;
  }

  /** Whether it multiplies many rows. */
  boolean tiled() {
    return tiled;
  }

  long weightBytes() {
    return weightBytes;
  }

  long scratchBytes() {
    return scratchBytes;
  }

  @Override
  public String explain() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s on %s: %d operations, %d steps, %d waves, %.1f MB of weights, %.1f MB of scratch%n"
            .formatted(
                batch.name(),
                backend.device().name(),
                batch.ops().size(),
                lowering.steps().size(),
                waves.length,
                weightBytes / 1e6,
                scratchBytes / 1e6));
    for (int wave = 0; wave < waves.length; wave++) {
      for (Step step : waves[wave]) {
        text.append("  wave %d: %s%n".formatted(wave, step.explain()));
      }
    }
    lowering.refusals().forEach(refusal -> text.append("  refused: ").append(refusal).append('\n'));
    return text.toString();
  }

  @Override
  public void close() {
    backend.closed(this);
  }

  /** Called with the backend's lock held; false if it was closed before. */
  boolean free(InterleavedWeights weights) {
    if (closed) {
      return false;
    }
    closed = true;
    lowering.copied().forEach(weights::release);
    arena.close();
    return true;
  }
}
