package dev.quern.core.hybrid;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Device;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.Limits;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Statistics;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.core.plan.MemoryPlan;
import dev.quern.core.reference.ReferenceBackendProvider;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A backend made of two. What the first has no room for lives on the second; a batch is cut into
 * segments that run where their weights and caches live, and what one segment leaves for another is
 * copied between them. A model does not know.
 *
 * <p>Where things live is decided when work is {@linkplain #prepare announced}: as many layers as
 * fit the first backend, from the first layer on, found by dry runs. Without announcement, and
 * where everything fits, all is on the first.
 */
public final class HybridBackend implements Backend {
  private static final System.Logger LOG = System.getLogger(HybridBackend.class.getName());

  /** What is copied at a time. */
  private static final long STAGING_BYTES = 1 << 20;

  private final Backend first;
  private final Backend second;
  private final boolean dry;
  private final boolean fixed;
  private final Set<Buffer> buffers = new HashSet<>();
  private final Set<HybridBatch> batches = new LinkedHashSet<>();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment staging = arena.allocate(STAGING_BYTES, 64);
  private Placement placement;
  private long adoptedBytes;
  private long submits;
  private boolean closed;

  /**
   * A hybrid of two open backends, which it closes with itself.
   *
   * @param first takes what fits
   * @param second takes the rest
   */
  public HybridBackend(Backend first, Backend second) {
    this(first, second, Placement.all(Side.FIRST), false, false);
  }

  /** A hybrid with a placement of the caller's, which announced work does not change. */
  public HybridBackend(Backend first, Backend second, Placement placement) {
    this(first, second, placement, true, false);
  }

  private HybridBackend(
      Backend first, Backend second, Placement placement, boolean fixed, boolean dry) {
    this.first = first;
    this.second = second;
    this.placement = placement;
    this.fixed = fixed;
    this.dry = dry;
  }

  /** A dry run of both: nothing is refused on the second side. */
  static HybridBackend trial(Backend first, Backend second, long memoryBytes, Placement candidate) {
    return new HybridBackend(
        first.dryRun(memoryBytes), second.dryRun(Long.MAX_VALUE), candidate, true, true);
  }

  /** Where things live. */
  public synchronized Placement placement() {
    return placement;
  }

  /** What one of the two runs on. */
  public Device device(Side side) {
    return on(side).device();
  }

  @Override
  public String name() {
    return first.name() + "+" + second.name();
  }

  @Override
  public Device device() {
    Device a = first.device();
    Device b = second.device();
    return new Device(
        a.id() + "+" + b.id(),
        a.name() + " + " + b.name(),
        a.vendor() + " + " + b.vendor(),
        a.kind(),
        a.memoryBytes() + b.memoryBytes(),
        Math.max(a.maxAllocationBytes(), b.maxAllocationBytes()),
        a.computeUnits() + b.computeUnits(),
        a.driver() + " + " + b.driver(),
        Stream.concat(a.features().stream(), b.features().stream()).distinct().toList());
  }

  @Override
  public synchronized Tensor adopt(
      String name, WeightFormat format, Shape shape, MemorySegment data) {
    requireOpen();
    if (data.byteSize() != format.bytes(shape.elements())) {
      throw new IllegalArgumentException(
          "adopt: bytes of %s%s:%s must be %d but are %d"
              .formatted(
                  name, shape, format.name(), format.bytes(shape.elements()), data.byteSize()));
    }
    HybridWeights.Stored stored = new HybridWeights.Stored(name, format, shape, data);
    HybridWeights weights =
        placed(
            name,
            home -> {
              HybridWeights made = new HybridWeights(this, stored, home);
              home.ifPresent(made::on);
              return made;
            });
    adoptedBytes += data.byteSize();
    return Tensor.of(name, weights, shape, format);
  }

  @Override
  public synchronized Buffer allocate(String name, long bytes) {
    requireOpen();
    return placed(
        name,
        home -> {
          HybridMemory made = new HybridMemory(this, name, bytes, home);
          home.ifPresent(made::on);
          return made;
        });
  }

  /** Makes a buffer where it belongs, or on the second side if the first has no room after all. */
  private <T extends Buffer> T placed(String name, Maker<T> maker) {
    Optional<Side> home = placement.home(name);
    T made;
    try {
      made = maker.make(home);
    } catch (InsufficientMemoryException e) {
      if (dry || home.isEmpty() || home.get() == Side.SECOND) {
        throw e;
      }
      LOG.log(
          Level.WARNING,
          "{0} has no room for {1}, which goes to {2}: {3}",
          first.name(),
          name,
          second.name(),
          e.getMessage());
      made = maker.make(Optional.of(Side.SECOND));
    }
    buffers.add(made);
    return made;
  }

  private interface Maker<T> {
    T make(Optional<Side> home);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    Support one = first.supports(op, precision);
    Support other = second.supports(op, precision);
    return one instanceof Support.No ? one : other instanceof Support.No ? other : one;
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    requireOpen();
    HybridBatch compiled = new HybridBatch(this, batch, Segments.compile(this, batch, options));
    batches.add(compiled);
    return compiled;
  }

  @Override
  public Backend dryRun(long memoryBytes) {
    return trial(first, second, memoryBytes, placement());
  }

  /**
   * Finds how many layers fit the first backend. What was made before stays where it is.
   *
   * @throws BackendException what {@code work} throws but for lack of memory on the first backend
   */
  @Override
  public boolean prepare(Consumer<Backend> work) {
    if (fixed) {
      return true;
    }
    LayerSearch search = new LayerSearch(first, second, work);
    if (search.fits(Placement.all(Side.FIRST))) {
      place(Placement.all(Side.FIRST));
      return true;
    }
    MemoryPlan.Layers found = search.most();
    LOG.log(
        Level.INFO,
        "{0} of {1} layers fit {2} ({3}); the rest runs on {4}",
        found.fit(),
        found.all(),
        first.device().id(),
        first.device().name(),
        second.device().id());
    place(Placement.layers(found.fit()));
    return found.fit() > 0;
  }

  private synchronized void place(Placement found) {
    placement = found;
  }

  /** How many layers of announced work fit a backend beside another that takes the rest. */
  public static MemoryPlan.Layers layersThatFit(Backend first, Consumer<Backend> work) {
    try (Backend host = new ReferenceBackendProvider().open(OpenOptions.defaults())) {
      return new LayerSearch(first, host, work).most();
    }
  }

  /** Those of the first backend. */
  @Override
  public Limits measureLimits() {
    return first.measureLimits();
  }

  /**
   * {@inheritDoc}
   *
   * <p>Sums over both backends, but for what is counted here: adopted bytes, submits, buffers and
   * batches.
   */
  @Override
  public synchronized Statistics statistics() {
    Statistics a = first.statistics();
    Statistics b = second.statistics();
    return new Statistics(
        adoptedBytes,
        a.uploadedBytes() + b.uploadedBytes(),
        a.uploadNanos() + b.uploadNanos(),
        a.residentBytes() + b.residentBytes(),
        a.builds() + b.builds(),
        submits,
        a.launches() + b.launches(),
        a.waits() + b.waits(),
        a.hostSteps() + b.hostSteps(),
        a.fallbacks() + b.fallbacks(),
        a.weightBytesRead() + b.weightBytesRead(),
        buffers.size(),
        batches.size());
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      List.copyOf(batches).forEach(HybridBatch::close);
      closed = true;
      buffers.clear();
      try (second;
          first) {
        arena.close();
      }
    }
  }

  // ---- for buffers and batches of this backend, which hold its lock

  Backend on(Side side) {
    return side == Side.FIRST ? first : second;
  }

  boolean isClosed() {
    return closed;
  }

  /** A buffer between segments. */
  HybridMemory between(String name, long bytes) {
    return new HybridMemory(this, name, bytes, Optional.empty());
  }

  /** In a dry run, takes the room of what is bound at submit and not yet on this side. */
  void rehearse(Side side, Slot.Bytes slot) {
    if (dry && placement.home(slot.name()).isEmpty()) {
      buffers.add(on(side).allocate(slot.name(), slot.bytes()));
    }
  }

  /**
   * A buffer of this hybrid.
   *
   * @throws IllegalArgumentException if it is of another backend
   */
  HybridMemory memory(Buffer buffer) {
    if (buffer instanceof HybridMemory memory && buffers.contains(memory)) {
      return memory;
    }
    if (buffer instanceof HybridMemory) {
      throw new IllegalStateException(
          "buffer %s: must be open to be used but is closed".formatted(buffer.name()));
    }
    throw new IllegalArgumentException(
        "buffer %s: must belong to this hybrid but is a %s"
            .formatted(buffer.name(), buffer.getClass().getName()));
  }

  /** Copies the first bytes of a buffer to one on the other side, through the host. */
  void copy(Buffer from, Buffer to, long bytes) {
    for (long at = 0; at < bytes; at += STAGING_BYTES) {
      MemorySegment piece = staging.asSlice(0, Math.min(STAGING_BYTES, bytes - at));
      from.read(at, piece);
      to.write(at, piece);
    }
  }

  void submitted() {
    submits++;
  }

  void gone(Buffer buffer) {
    buffers.remove(buffer);
  }

  void gone(HybridBatch batch) {
    batches.remove(batch);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(
          "%s: backend must be open to be used but is closed".formatted(name()));
    }
  }
}
