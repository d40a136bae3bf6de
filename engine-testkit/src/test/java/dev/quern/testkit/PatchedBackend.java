package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.Device;
import dev.quern.core.HostBuffer;
import dev.quern.core.HostTemporaries;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.Storage;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.event.StepEvent;
import dev.quern.core.event.UploadEvent;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.core.reference.ReferenceOps;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/** A backend like the reference, with the way it runs operations given from outside. */
final class PatchedBackend implements Backend {
  /** What one operation of a submit sees. */
  record Step(
      Op op,
      Precision precision,
      Function<Storage, MemorySegment> memory,
      ToIntFunction<Tensor> live) {
    /** Runs this step as the reference does. */
    void run() {
      ReferenceOps.run(op, memory, live);
    }

    /** This step with other bytes in the place of a storage. */
    Step with(Storage replaced, MemorySegment bytes) {
      return new Step(op, precision, s -> s.equals(replaced) ? bytes : memory.apply(s), live);
    }

    /** This step with another operation. */
    Step with(Op other) {
      return new Step(other, precision, memory, live);
    }

    /** This step with another count of live rows. */
    Step with(ToIntFunction<Tensor> counted) {
      return new Step(op, precision, memory, counted);
    }

    MemorySegment bytes(Tensor tensor) {
      return memory.apply(tensor.storage()).asSlice(tensor.offset(), tensor.bytes());
    }
  }

  /** How operations run. */
  @FunctionalInterface
  interface Runner {
    void run(Step step);
  }

  /** What {@link #supports} answers {@code No} for, and why. */
  static final String REASON = "no kernel for this";

  private final Runner runner;
  private final boolean leak;
  private final String refused;
  private final HostBuffer.Ledger ledger = new HostBuffer.Ledger();
  private final Set<Compiled> live = new HashSet<>();
  private long submits;
  private long weightBytesRead;
  private long leaked;

  /**
   * A backend.
   *
   * @param leak whether closed batches are counted as alive
   * @param refused name of the operation that has no kernel, empty for none
   */
  PatchedBackend(Runner runner, boolean leak, String refused) {
    this.runner = runner;
    this.leak = leak;
    this.refused = refused;
  }

  @Override
  public String name() {
    return "patched";
  }

  @Override
  public Device device() {
    return new Device("patched", "patched", "", Device.Kind.CPU, 0, 0, 1, "", List.of());
  }

  @Override
  public Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data) {
    UploadEvent event = new UploadEvent();
    event.begin();
    Tensor tensor = Tensor.of(name, ledger.adopt(name, format, shape, data), shape, format);
    event.end(name(), name, data.byteSize(), true);
    return tensor;
  }

  @Override
  public Buffer allocate(String name, long bytes) {
    return ledger.allocate(name, bytes);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    return op.name().equals(refused) ? new Support.No(REASON) : new Support.Yes("patched");
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    ledger.requireOpen();
    Compiled compiled = new Compiled(batch, options.precision());
    live.add(compiled);
    return compiled;
  }

  @Override
  public synchronized Statistics statistics() {
    return ledger.statistics(submits, 0, weightBytesRead, live.size() + leaked);
  }

  @Override
  public synchronized void close() {
    List.copyOf(live).forEach(Compiled::close);
    ledger.close();
  }

  private synchronized void run(Compiled compiled, Bindings bindings) {
    compiled.requireOpen();
    bindings.check(compiled.batch);
    StepEvent event = new StepEvent();
    event.begin();
    submits++;
    long before = weightBytesRead;
    for (Op op : compiled.batch.ops()) {
      for (Tensor read : op.reads()) {
        if (read.storage() instanceof HostBuffer buffer && buffer.readOnly()) {
          weightBytesRead += read.bytes();
        }
      }
      runner.run(
          new Step(
              op,
              compiled.precision,
              storage -> compiled.memory.segment(storage, bindings),
              bindings::liveRows));
    }
    event.end(name(), compiled.batch.name(), weightBytesRead - before);
  }

  private final class Compiled implements CompiledBatch {
    private final CommandBatch batch;
    private final Precision precision;
    private final HostTemporaries memory;

    Compiled(CommandBatch batch, Precision precision) {
      this.batch = batch;
      this.precision = precision;
      this.memory = new HostTemporaries(batch);
    }

    @Override
    public CommandBatch batch() {
      return batch;
    }

    @Override
    public Completion submit(Bindings bindings) {
      run(this, bindings);
      return Completion.DONE;
    }

    @Override
    public String explain() {
      return batch.name() + (refused.isEmpty() ? "" : ": " + REASON);
    }

    @Override
    public void close() {
      synchronized (PatchedBackend.this) {
        if (live.remove(this)) {
          leaked += leak ? 1 : 0;
          memory.close();
        }
      }
    }

    private void requireOpen() {
      if (!live.contains(this)) {
        throw new IllegalStateException(batch.name() + ": batch is closed");
      }
    }
  }
}
