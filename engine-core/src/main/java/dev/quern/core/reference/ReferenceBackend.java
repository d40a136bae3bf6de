package dev.quern.core.reference;

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
import dev.quern.core.StepTime;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.event.Events;
import dev.quern.core.event.StepEvent;
import dev.quern.core.event.UploadEvent;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Cost;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Runs each operation in order through {@link ReferenceOps}. Every precision is exact. */
final class ReferenceBackend implements Backend {
  private final Device device;
  private final HostBuffer.Ledger ledger = new HostBuffer.Ledger();
  private long submits;
  private final Set<Compiled> live = new HashSet<>();
  private long weightBytesRead;

  ReferenceBackend(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return ReferenceBackendProvider.NAME;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data) {
    UploadEvent event = Events.begin(UploadEvent::new);
    Tensor tensor = Tensor.of(name, ledger.adopt(name, format, shape, data), shape, format);
    if (event != null) {
      event.end(name(), name, data.byteSize(), true);
    }
    return tensor;
  }

  @Override
  public Buffer allocate(String name, long bytes) {
    return ledger.allocate(name, bytes);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    return new Support.Yes("reference " + op.name());
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    ledger.requireOpen();
    Compiled compiled = new Compiled(batch);
    live.add(compiled);
    return compiled;
  }

  @Override
  public synchronized Statistics statistics() {
    return ledger.statistics(submits, 0, weightBytesRead, live.size());
  }

  @Override
  public synchronized void close() {
    List.copyOf(live).forEach(Compiled::close);
    ledger.close();
  }

  private synchronized void run(Compiled compiled, Bindings bindings) {
    compiled.requireOpen();
    bindings.check(compiled.batch);
    StepEvent event = Events.begin(StepEvent::new);
    submits++;
    long before = weightBytesRead;
    compiled.batch.ops().forEach(op -> run(op, compiled, bindings));
    if (event != null) {
      event.end(name(), compiled.batch.name(), weightBytesRead - before);
    }
  }

  private void run(Op op, Compiled compiled, Bindings bindings) {
    weightBytesRead += Cost.weightBytes(op);
    ReferenceOps.run(op, storage -> compiled.memory.segment(storage, bindings), bindings::liveRows);
  }

  private synchronized List<StepTime> profile(Compiled compiled, Bindings bindings) {
    compiled.requireOpen();
    bindings.check(compiled.batch);
    List<StepTime> times = new ArrayList<>();
    for (Op op : compiled.batch.ops()) {
      long start = System.nanoTime();
      run(op, compiled, bindings);
      times.add(new StepTime(List.of(op), "reference", System.nanoTime() - start));
    }
    submits++;
    return times;
  }

  private final class Compiled implements CompiledBatch {
    private final CommandBatch batch;
    private final HostTemporaries memory;

    Compiled(CommandBatch batch) {
      this.batch = batch;
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
    public List<StepTime> profile(Bindings bindings) {
      return ReferenceBackend.this.profile(this, bindings);
    }

    private void requireOpen() {
      if (!live.contains(this)) {
        throw new IllegalStateException(
            "%s: batch must be open to be submitted but is closed".formatted(batch.name()));
      }
    }

    @Override
    public String explain() {
      StringBuilder text = new StringBuilder(batch.name()).append(" on reference\n");
      for (Op op : batch.ops()) {
        text.append("  %s %s -> %s%n".formatted(op.name(), op.reads(), op.writes()));
      }
      return text.toString();
    }

    @Override
    public void close() {
      synchronized (ReferenceBackend.this) {
        if (live.remove(this)) {
          memory.close();
        }
      }
    }
  }
}
