package dev.quern.cpu;

import dev.quern.core.Backend;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Device;
import dev.quern.core.DryRunBackend;
import dev.quern.core.HostBuffer;
import dev.quern.core.Limits;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.StepTime;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.event.BuildEvent;
import dev.quern.core.event.Events;
import dev.quern.core.event.StepEvent;
import dev.quern.core.event.UploadEvent;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.ScalarKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Fixed workers over weights in host memory. All state is guarded by the lock of this object. */
final class CpuBackend implements Backend {
  private final Kernels kernels;
  private final KernelTable table;
  private final Device device;
  private final SpeedCheck speedCheck;
  private final long opened = System.nanoTime();
  private final HostBuffer.Ledger ledger = new HostBuffer.Ledger();
  private final Workers workers;
  private final InterleavedWeights weights;
  private final List<Worker> own = new ArrayList<>();
  private final Set<CpuBatch> batches = new HashSet<>();

  /** Holds copies of weights that were on the Java heap, where no aligned load can reach them. */
  private final Arena copies = Arena.ofShared();

  private long scratchBytes;
  private long submits;
  private long launches;
  private long weightBytesRead;
  private boolean closed;

  CpuBackend(Kernels kernels, int threads) {
    this.kernels = kernels;
    table = new KernelTable(kernels);
    device = CpuBackendProvider.device(kernels.name());
    speedCheck = new SpeedCheck(kernels.rows());
    if (!(kernels instanceof ScalarKernels)) {
      speedCheck.after(0);
    }
    workers = new Workers(threads);
    weights = new InterleavedWeights(kernels, workers);
    for (int i = 0; i < threads; i++) {
      own.add(new Worker());
    }
  }

  @Override
  public String name() {
    return CpuBackendProvider.NAME;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public synchronized Tensor adopt(
      String name, WeightFormat format, Shape shape, MemorySegment data) {
    UploadEvent event = Events.begin(UploadEvent::new);
    open();
    MemorySegment bytes = data;
    if (!data.isNative()) {
      bytes = copies.allocate(Math.max(1, data.byteSize()), HostBuffer.ALIGNMENT);
      bytes.copyFrom(data);
      scratchBytes += bytes.byteSize();
    }
    Tensor tensor = Tensor.of(name, ledger.adopt(name, format, shape, bytes), shape, format);
    if (event != null) {
      event.end(CpuBackendProvider.NAME, name, data.byteSize(), data.isNative());
    }
    return tensor;
  }

  @Override
  public synchronized Buffer allocate(String name, long bytes) {
    open();
    return ledger.allocate(name, bytes);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    return table
        .choose(op, precision)
        .<Support>map(choice -> new Support.Yes(kernels.name() + " " + choice.kernel()))
        .orElseGet(() -> new Support.No("no kernel for " + op.name()));
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    BuildEvent event = Events.begin(BuildEvent::new);
    open();
    Lowering.Result lowering =
        new Lowering(batch, options.precision(), table, kernels, weights, workers.count()).run();
    long needed = lowering.steps().stream().mapToLong(Step::scratchBytes).max().orElse(0);
    own.forEach(worker -> scratchBytes += worker.reserve(needed));
    int tokens = lowering.steps().stream().mapToInt(Step::tokens).max().orElse(0);
    own.forEach(worker -> worker.reserveSums(tokens));
    own.forEach(worker -> lowering.steps().forEach(step -> step.reserve(worker)));
    CpuBatch compiled = new CpuBatch(this, batch, lowering);
    batches.add(compiled);
    scratchBytes += compiled.scratchBytes();
    if (event != null) {
      event.end(CpuBackendProvider.NAME, batch.name(), BuildEvent.Kind.BATCH);
    }
    return compiled;
  }

  @Override
  public Backend dryRun(long memoryBytes) {
    InterleavedWeights.Forecast copies = new InterleavedWeights.Forecast(kernels);
    return new DryRunBackend(
        this,
        (batch, options) ->
            copies.bytes(batch)
                + new Lowering(batch, options.precision(), table, kernels, weights, workers.count())
                    .run()
                    .plan()
                    .scratchBytes());
  }

  @Override
  public synchronized Statistics statistics() {
    return new Statistics(
        ledger.adoptedBytes(),
        0,
        0,
        ledger.residentBytes() + scratchBytes + weights.bytes(),
        0,
        submits,
        launches,
        0,
        0,
        0,
        weightBytesRead,
        ledger.liveBuffers(),
        batches.size());
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    workers.close();
    batches.forEach(batch -> batch.free(weights));
    batches.clear();
    weights.close();
    own.forEach(Worker::release);
    ledger.close();
    copies.close();
    scratchBytes = 0;
  }

  /** Runs a batch to its end. */
  synchronized void run(CpuBatch batch, Bindings bindings) {
    StepEvent event = Events.begin(StepEvent::new);
    open();
    batch.bind(bindings);
    submits++;
    launches += batch.waves();
    weightBytesRead += batch.weightBytes();
    long start = System.nanoTime();
    workers.run(batch);
    batch.check();
    if (event != null) {
      event.end(CpuBackendProvider.NAME, batch.batch().name(), batch.weightBytes());
    }
    if (!(kernels instanceof ScalarKernels)) {
      long now = System.nanoTime();
      speedCheck.after(now - opened);
      if (!batch.tiled()) {
        speedCheck.read(batch.weightBytes(), now - start);
      }
    }
  }

  synchronized List<StepTime> profile(CpuBatch batch, Bindings bindings) {
    open();
    batch.bind(bindings);
    submits++;
    weightBytesRead += batch.weightBytes();
    return batch.time(workers);
  }

  @Override
  public synchronized Limits measureLimits() {
    open();
    return new Ceiling(kernels.ceilings(), workers).measure();
  }

  synchronized void closed(CpuBatch batch) {
    if (batch.free(weights)) {
      batches.remove(batch);
      scratchBytes -= batch.scratchBytes();
      if (batches.isEmpty()) {
        own.forEach(worker -> scratchBytes -= worker.release());
      }
    }
  }

  Worker worker(int number) {
    return own.get(number);
  }

  void barrier() {
    workers.barrier();
  }

  private void open() {
    if (closed) {
      throw new IllegalStateException("cpu: backend must be open to be used but is closed");
    }
  }
}
