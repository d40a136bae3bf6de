package dev.quern.samples.backend;

import dev.quern.core.Backend;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Device;
import dev.quern.core.HostBuffer;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.Storage;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.DequantMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Swish;
import dev.quern.core.reference.ReferenceOps;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Computes one operation itself, lends the rest from the reference, and has no kernel for one: the
 * least that a backend can be.
 */
final class SampleBackend implements Backend {
  private final Device device;
  private final HostBuffer.Ledger ledger = new HostBuffer.Ledger();
  private final Set<SampleBatch> live = new HashSet<>();
  private long submits;
  private long hostSteps;

  SampleBackend(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return SampleProvider.NAME;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data) {
    return Tensor.of(name, ledger.adopt(name, format, shape, data), shape, format);
  }

  @Override
  public Buffer allocate(String name, long bytes) {
    return ledger.allocate(name, bytes);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    return switch (op) {
      case DequantMatMul product -> new Support.Yes("row of " + product.w().format().name());
      case Swish swish -> new Support.No("no kernel was written for it");
      default -> new Support.Yes("reference " + op.name());
    };
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    ledger.requireOpen();
    SampleBatch compiled = new SampleBatch(this, batch, options.precision());
    live.add(compiled);
    return compiled;
  }

  @Override
  public synchronized Statistics statistics() {
    return ledger.statistics(submits, hostSteps, 0, live.size());
  }

  @Override
  public synchronized void close() {
    List.copyOf(live).forEach(SampleBatch::close);
    ledger.close();
  }

  synchronized void run(SampleBatch compiled, Bindings bindings) {
    if (!live.contains(compiled)) {
      throw new IllegalStateException(
          compiled.batch().name() + ": batch must be open to be submitted but is closed");
    }
    bindings.check(compiled.batch());
    submits++;
    Function<Storage, MemorySegment> memory = storage -> compiled.memory().segment(storage, bindings);
    for (Op op : compiled.batch().ops()) {
      switch (op) {
        case DequantMatMul product -> RowKernel.run(product, memory, bindings.liveRows(product.x()));
        case Swish swish -> {
          hostSteps++;
          ReferenceOps.run(swish, memory, bindings::liveRows);
        }
        default -> ReferenceOps.run(op, memory, bindings::liveRows);
      }
    }
  }

  synchronized boolean remove(SampleBatch compiled) {
    return live.remove(compiled);
  }
}
