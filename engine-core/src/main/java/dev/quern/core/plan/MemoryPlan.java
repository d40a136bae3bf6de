package dev.quern.core.plan;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Buffer;
import dev.quern.core.ByteSize;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Device;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.Support;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.hybrid.Placement;
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * What some work takes of the memory of a backend, found by a {@link Backend#dryRun dry run}: the
 * backend's own code says how large each piece is.
 *
 * @param backend its name
 * @param device the device, with its real limits
 * @param entries every piece, in the order in which it is made
 * @param refusal why the work does not fit, or empty if it does
 * @param layers how many layers would fit where not all do; {@link Layers#UNKNOWN} otherwise
 */
public record MemoryPlan(
    String backend, Device device, List<Entry> entries, String refusal, Layers layers) {
  public MemoryPlan {
    entries = List.copyOf(entries);
  }

  /** What a piece of memory holds. */
  public enum Kind {
    WEIGHTS("weights"),
    /** Keys and values: buffers of a layer, which their names say. */
    CACHE("KV cache"),
    BUFFER("buffers"),
    SCRATCH("scratch");

    private final String label;

    Kind(String label) {
      this.label = label;
    }
  }

  /**
   * A piece of memory.
   *
   * @param kind what it holds
   * @param name of the tensor, the buffer or the batch
   * @param stored bytes of a weight in its file, of a buffer as asked for; 0 for scratch
   * @param resident bytes it takes in the memory of the backend; 0 for weights used in place
   * @param parts how many allocations it lies in
   */
  public record Entry(Kind kind, String name, long stored, long resident, int parts) {
    private long larger() {
      return Math.max(stored, resident);
    }
  }

  /**
   * How much of a model a device has room for.
   *
   * @param fit layers that fit, with their cache and with scratch memory
   * @param all layers of the model; 0 if unknown
   */
  public record Layers(int fit, int all) {
    /** Not looked for. */
    public static final Layers UNKNOWN = new Layers(0, 0);
  }

  /**
   * Plans work on a backend.
   *
   * @param work adopts, allocates and compiles on the backend it is given; called twice
   */
  public static MemoryPlan of(Backend backend, Consumer<Backend> work) {
    List<Entry> entries = new ArrayList<>();
    try (Backend dry = backend.dryRun(Long.MAX_VALUE)) {
      work.accept(new Recorder(dry, entries));
    } catch (InsufficientMemoryException e) {
      // A single piece that no memory would hold: what follows it is unknown.
      return plan(backend, entries, String.valueOf(e.getMessage()));
    }
    return plan(backend, entries, refusal(backend, work));
  }

  private static MemoryPlan plan(Backend backend, List<Entry> entries, String refusal) {
    return new MemoryPlan(backend.name(), backend.device(), entries, refusal, Layers.UNKNOWN);
  }

  /** This plan with the layers that would fit. */
  public MemoryPlan withLayers(Layers found) {
    return new MemoryPlan(backend, device, entries, refusal, found);
  }

  private static String refusal(Backend backend, Consumer<Backend> work) {
    try (Backend dry = backend.dryRun(0)) {
      work.accept(dry);
      return "";
    } catch (InsufficientMemoryException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /**
   * Checks that work fits a backend.
   *
   * @throws InsufficientMemoryException if it does not: see {@link #refused}
   */
  public static void require(Backend backend, Consumer<Backend> work) {
    try (Backend dry = backend.dryRun(0)) {
      work.accept(dry);
    } catch (InsufficientMemoryException e) {
      throw of(backend, work).refused(e);
    }
  }

  /** The refusal of this work: it has this plan, and its message says what helps. */
  public InsufficientMemoryException refused(InsufficientMemoryException cause) {
    String message =
        "%s memory: the model must fit the %s of %s but needs at least %s: %s; %s"
            .formatted(
                backend, room(), device.id(), ByteSize.format(resident()), summary(), remedy());
    return new InsufficientMemoryException(message, this, cause);
  }

  /** What helps if it does not fit. */
  public String remedy() {
    String rest = "a shorter --context, or a model of fewer bits a weight";
    if (layers.all == 0) {
      return "use --backend %s+cpu for the layers that fit, %s".formatted(backend, rest);
    }
    return layers.fit == 0
        ? "not one layer fits, so use --backend cpu, %s".formatted(rest)
        : "use --backend %s+cpu, with %d of %d layers on %s, %s"
            .formatted(backend, layers.fit, layers.all, device.id(), rest);
  }

  /**
   * For people, a line each: what every kind of memory takes and its largest piece, what all of it
   * takes, and, if it does not fit, what was the first not to, and how many layers would.
   */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      entries.stream()
          .filter(entry -> entry.kind == kind)
          .max(Comparator.comparingLong(Entry::larger))
          .ifPresent(largest -> lines.add(line(kind.label, amount(kind), named(largest))));
    }
    lines.add(line("in all", ByteSize.format(resident()), "of " + room()));
    if (!fits()) {
      lines.add("does not fit: " + reason());
    }
    if (layers.all > 0) {
      lines.add("layers that fit: %d of %d".formatted(layers.fit, layers.all));
    }
    return lines;
  }

  private String room() {
    String memory = ByteSize.format(device.memoryBytes());
    return device.maxAllocationBytes() < device.memoryBytes()
        ? memory + " in allocations of at most " + ByteSize.format(device.maxAllocationBytes())
        : memory;
  }

  private static String line(String label, String amount, String more) {
    return String.format(Locale.ROOT, "%-8s %12s, %s", label, amount, more);
  }

  private String amount(Kind kind) {
    long stored = entries.stream().filter(e -> e.kind == kind).mapToLong(Entry::stored).sum();
    return kind == Kind.WEIGHTS && resident(kind) == 0
        ? ByteSize.format(stored) + " mapped"
        : ByteSize.format(resident(kind));
  }

  private static String named(Entry entry) {
    return "the largest %s with %s%s"
        .formatted(
            entry.name,
            ByteSize.format(entry.larger()),
            entry.parts > 1 ? " in %d allocations".formatted(entry.parts) : "");
  }

  /** What was the first that did not fit, without what the message says of itself and advises. */
  private String reason() {
    return refusal.replaceFirst("^[^:]*memory: ", "").replaceFirst("; use .*", "");
  }

  /** Whether the work fits. */
  public boolean fits() {
    return refusal.isEmpty();
  }

  /** Bytes of all pieces. */
  public long resident() {
    return entries.stream().mapToLong(Entry::resident).sum();
  }

  /** Bytes of the pieces of one kind. */
  public long resident(Kind kind) {
    return entries.stream().filter(e -> e.kind == kind).mapToLong(Entry::resident).sum();
  }

  private String summary() {
    return Arrays.stream(Kind.values())
        .map(kind -> kind.label + " " + ByteSize.format(resident(kind)))
        .collect(Collectors.joining(", "));
  }

  /** Notes by how much the memory in use grows. */
  private record Recorder(Backend inner, List<Entry> entries) implements Backend {
    private <T> T noted(
        Kind kind, String label, long stored, ToIntFunction<T> parts, Supplier<T> call) {
      long before = inner.statistics().residentBytes();
      T result = call.get();
      long grown = inner.statistics().residentBytes() - before;
      entries.add(new Entry(kind, label, stored, grown, parts.applyAsInt(result)));
      return result;
    }

    private static int parts(Tensor tensor) {
      return tensor.storage() instanceof Buffer buffer ? buffer.parts() : 1;
    }

    @Override
    public Tensor adopt(String label, WeightFormat format, Shape shape, MemorySegment data) {
      return noted(
          Kind.WEIGHTS,
          label,
          data.byteSize(),
          Recorder::parts,
          () -> inner.adopt(label, format, shape, data));
    }

    @Override
    public Buffer allocate(String label, long bytes) {
      Kind kind = Placement.layer(label).isPresent() ? Kind.CACHE : Kind.BUFFER;
      return noted(kind, label, bytes, Buffer::parts, () -> inner.allocate(label, bytes));
    }

    @Override
    public CompiledBatch compile(CommandBatch batch, CompileOptions options) {
      return noted(
          Kind.SCRATCH, batch.name(), 0, ignored -> 1, () -> inner.compile(batch, options));
    }

    @Override
    public String name() {
      return inner.name();
    }

    @Override
    public Device device() {
      return inner.device();
    }

    @Override
    public Support supports(Op op, Precision precision) {
      return inner.supports(op, precision);
    }

    @Override
    public Statistics statistics() {
      return inner.statistics();
    }

    @Override
    public void close() {
      throw new BackendException("plan: the work must leave the backend open");
    }
  }
}
