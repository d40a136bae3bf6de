package dev.quern.opencl;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Device;
import dev.quern.core.Limits;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Statistics;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.event.BuildEvent;
import dev.quern.core.event.Events;
import dev.quern.core.event.UploadEvent;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.core.plan.Plan;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An opened OpenCL device. */
final class OpenClBackend implements Backend {
  private final OpenDevice device;
  private final String name;
  private final Settings settings;
  private final InFlight inFlight;
  private final Set<CompiledOpenClBatch> batches = new LinkedHashSet<>();
  private boolean closed;

  private OpenClBackend(OpenDevice device, Settings settings) {
    this.device = device;
    this.name = device.device().info().id().replaceFirst(":.*", "");
    this.settings = settings;
    this.inFlight = new InFlight(device);
  }

  /**
   * Opens a device and tests it.
   *
   * @throws BackendException if it computes wrongly
   */
  static OpenClBackend open(OpenCl cl, ClDevice device, Settings settings, @Nullable Path cache) {
    boolean pinned = settings.uploads().pinned(device);
    OpenClBackend backend = new OpenClBackend(OpenDevice.open(cl, device, pinned, cache), settings);
    try {
      SelfTest.run(backend);
      backend.opened().counters().reset();
      return backend;
    } catch (RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  OpenDevice opened() {
    return device;
  }

  InFlight inFlight() {
    return inFlight;
  }

  boolean closed() {
    return closed;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Device device() {
    return device.device().info();
  }

  @Override
  public Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data) {
    long bytes = format.bytes(shape.elements());
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "adopt: bytes of %s%s:%s must be %d but are %d"
              .formatted(name, shape, format.name(), bytes, data.byteSize()));
    }
    synchronized (device) {
      UploadEvent event = Events.begin(UploadEvent::new);
      boolean whole = bytes <= device.device().info().maxAllocationBytes();
      Buffer buffer = whole ? adopt(name, data) : adoptSplit(name, format, shape, data);
      device.counters().adoptedBytes += bytes;
      if (event != null && !isDry()) {
        event.end(name(), name, bytes, false);
      }
      return Tensor.of(name, buffer, shape, format);
    }
  }

  private DeviceBuffer adopt(String name, MemorySegment data) {
    return make(name, data.byteSize(), region -> upload(region, data));
  }

  private void upload(Region region, MemorySegment data) {
    if (isDry()) {
      return;
    }
    long start = System.nanoTime();
    write(region, 0, data);
    device.counters().uploadNanos += System.nanoTime() - start;
    device.counters().uploadedBytes += data.byteSize();
  }

  private SplitBuffer adoptSplit(
      String name, WeightFormat format, Shape shape, MemorySegment data) {
    long limit = device.device().info().maxAllocationBytes();
    Slot.Bytes whole = new Slot.Bytes(0, name, data.byteSize());
    Tensor weight = Tensor.of(name, whole, shape, format);
    long rowBytes = SplitBuffer.rowBytes(weight);
    List<SplitBuffer.Part> parts = new ArrayList<>();
    try {
      for (SplitBuffer.Rows rows : SplitBuffer.cut(weight, limit)) {
        long offset = rows.first() * rowBytes;
        MemorySegment part = data.asSlice(offset, rows.count() * rowBytes);
        String label = "%s[%d..]".formatted(name, rows.first());
        parts.add(new SplitBuffer.Part(offset, adopt(label, part)));
      }
    } catch (BackendException e) {
      parts.forEach(part -> part.buffer().close());
      throw e;
    }
    device.counters().liveBuffers -= parts.size() - 1;
    return new SplitBuffer(this, name, parts);
  }

  @Override
  public Buffer allocate(String name, long bytes) {
    synchronized (device) {
      DeviceBuffer buffer = make(name, bytes, null);
      try {
        guarded("fill " + name, () -> zero(DeviceBuffer.region(buffer)));
      } catch (BackendException e) {
        buffer.close();
        throw e;
      }
      return buffer;
    }
  }

  private void zero(Region region) {
    long buffer = device.memory().buffer(region.arena());
    device.cl().fill(device.queue(), buffer, region.offset(), region.bytes(), (byte) 0);
  }

  private DeviceBuffer make(String name, long bytes, DeviceBuffer.@Nullable Content content) {
    requireOpen();
    DeviceBuffer buffer = new DeviceBuffer(this, name, bytes, content);
    DeviceBuffer.region(buffer);
    device.counters().liveBuffers++;
    return buffer;
  }

  @Override
  public Support supports(Op op, Precision precision) {
    Geometry geometry = Geometry.of(device.device(), settings);
    Lowering lowering = new Lowering(device.device(), geometry, settings, precision, op);
    return switch (lowering.next(op).steps().getLast()) {
      case Step.Kernel step -> new Support.Yes("opencl " + step.body().name());
      case Step.Decoder step -> new Support.Yes("opencl decoder of " + step.shape().layers());
      case Step.Host step -> new Support.No(String.join("; ", step.reasons()));
    };
  }

  @Override
  public CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    Settings own = settings.with(options.settings());
    Geometry geometry = Geometry.of(device.device(), own);
    synchronized (device) {
      BuildEvent event = Events.begin(BuildEvent::new);
      requireOpen();
      Lowering lowering = new Lowering(device.device(), geometry, own, options.precision(), batch);
      try {
        CompiledBatch compiled = make(lower(batch, lowering, geometry), geometry, own, options);
        if (event != null && !isDry()) {
          event.end(name(), batch.name(), BuildEvent.Kind.BATCH);
        }
        return compiled;
      } catch (OpenClException e) {
        throw new BackendException(
            "%s: must compile for the device but does not; %s"
                .formatted(batch.name(), e.getMessage()),
            e);
      }
    }
  }

  private CompiledOpenClBatch make(
      Lowered lowered, Geometry geometry, Settings own, CompileOptions options) {
    try {
      CompiledOpenClBatch compiled = new CompiledOpenClBatch(this, lowered, geometry, own, options);
      batches.add(compiled);
      device.counters().liveBatches++;
      return compiled;
    } catch (RuntimeException | Error e) {
      device.memory().free(lowered.scratch());
      lowered.weights().forEach(weight -> weight.use(-1));
      throw e;
    }
  }

  private Lowered lower(CommandBatch batch, Lowering lowering, Geometry geometry) {
    List<Step> steps = new ArrayList<>();
    List<List<String>> refusals = new ArrayList<>();
    String notOneLaunch = "";
    int done = 0;
    switch (lowering.decoder(batch)) {
      case Lowering.Fused.Took took -> {
        steps.add(took.step());
        refusals.add(List.of());
        done = took.step().shape().ops().count();
      }
      case Lowering.Fused.Refused refused -> notOneLaunch = refused.reason();
    }
    for (Op op : batch.ops().subList(done, batch.ops().size())) {
      KernelTable.Choice choice = lowering.next(op);
      for (Step step : choice.steps()) {
        steps.add(step);
        refusals.add(choice.refused());
      }
    }
    List<Body> bodies = steps.stream().map(Step::body).filter(Objects::nonNull).distinct().toList();
    Plan plan =
        Plan.of(steps.stream().map(Step::access).toList(), batch.bound())
            .inWaves(Comparator.comparingInt(i -> bodies.indexOf(steps.get(i).body())));
    Region scratch = device.memory().allocate("scratch of " + batch.name(), plan.scratchBytes());
    Set<DeviceBuffer> weights = Lowered.weights(steps);
    weights.forEach(weight -> weight.use(1));
    try {
      StepEncoder encoder = new StepEncoder(batch, steps, plan, bodies, geometry, scratch);
      return new Lowered(
          batch, steps, refusals, bodies, plan, scratch, encoder, notOneLaunch, weights);
    } catch (RuntimeException e) {
      weights.forEach(weight -> weight.use(-1));
      device.memory().free(scratch);
      throw e;
    }
  }

  @Override
  public Limits measureLimits() {
    synchronized (device) {
      requireOpen();
      inFlight.settle();
      try {
        return new Ceiling(device).measure();
      } catch (OpenClException e) {
        throw new BackendException(
            "opencl: limits must be measured but are not; %s".formatted(e.getMessage()), e);
      }
    }
  }

  @Override
  public Backend dryRun(long memoryBytes) {
    synchronized (device) {
      Device real = device.device().info();
      long free = Math.max(1, real.memoryBytes() - device.memory().usedBytes());
      ClDevice imagined =
          device.device().limited(memoryBytes == 0 ? free : memoryBytes, real.maxAllocationBytes());
      OpenDevice dry = OpenDevice.open(new DryRunOpenCl(device.cl()), imagined, false, null);
      return new OpenClBackend(dry, settings);
    }
  }

  private boolean isDry() {
    return device.cl() instanceof DryRunOpenCl;
  }

  @Override
  public boolean prepare(Consumer<Backend> work) {
    MemoryPlan.require(this, work);
    return true;
  }

  @Override
  public Statistics statistics() {
    synchronized (device) {
      Counters c = device.counters();
      return new Statistics(
          c.adoptedBytes,
          c.uploadedBytes,
          c.uploadNanos,
          device.memory().usedBytes(),
          c.builds,
          c.submits,
          c.launches,
          c.waits,
          c.hostSteps,
          c.fallbacks,
          c.weightBytesRead,
          c.liveBuffers,
          c.liveBatches);
    }
  }

  @Override
  public void close() {
    synchronized (device) {
      if (!closed) {
        CompiledOpenClBatch.closeAll(batches);
        closed = true;
        device.counters().liveBuffers = 0;
        device.close();
      }
    }
  }

  // ---- for buffers and batches of this backend, which hold the lock

  void write(Region region, long offset, MemorySegment source) {
    requireOpen();
    guarded(
        "write",
        () ->
            device.write(device.memory().buffer(region.arena()), region.offset() + offset, source));
  }

  void read(Region region, long offset, MemorySegment target) {
    requireOpen();
    long buffer = device.memory().buffer(region.arena());
    guarded(
        "read",
        () -> {
          // A read waits for all work before it, so nothing else has to.
          device.read(buffer, region.offset() + offset, target);
          if (inFlight.finished()) {
            device.read(buffer, region.offset() + offset, target);
          }
        });
  }

  void free(DeviceBuffer buffer) {
    if (!closed) {
      buffer.release();
      device.counters().liveBuffers--;
    }
  }

  void closed(CompiledOpenClBatch batch, Set<DeviceBuffer> weights) {
    batches.remove(batch);
    weights.forEach(weight -> weight.use(-1));
    device.counters().liveBatches--;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("opencl: the backend is closed");
    }
  }

  private static void guarded(String what, Runnable call) {
    try {
      call.run();
    } catch (OpenClException e) {
      throw new BackendException("opencl: %s failed; %s".formatted(what, e.getMessage()), e);
    }
  }
}
