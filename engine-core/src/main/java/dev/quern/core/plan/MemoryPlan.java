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
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What some work takes of the memory of a backend, found by a {@link Backend#dryRun dry run}: the
 * backend's own code says how large each piece is.
 *
 * @param device the device, with its real limits
 * @param entries every piece, in the order in which it is made
 * @param refusal why the work does not fit, or empty if it does
 */
public record MemoryPlan(Device device, List<Entry> entries, String refusal) {
  public MemoryPlan {
    entries = List.copyOf(entries);
  }

  /** What a piece of memory holds. */
  public enum Kind {
    WEIGHTS,
    BUFFER,
    SCRATCH
  }

  /**
   * A piece of memory.
   *
   * @param kind what it holds
   * @param name of the tensor, the buffer or the batch
   * @param stored bytes of a weight in its file, of a buffer as asked for; 0 for scratch
   * @param resident bytes it takes in the memory of the backend; 0 for weights used in place
   */
  public record Entry(Kind kind, String name, long stored, long resident) {}

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
      return new MemoryPlan(backend.device(), entries, String.valueOf(e.getMessage()));
    }
    return new MemoryPlan(backend.device(), entries, refusal(backend, work));
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
   * @throws InsufficientMemoryException if it does not; the message has the plan and what helps
   */
  public static void require(Backend backend, Consumer<Backend> work) {
    try (Backend dry = backend.dryRun(0)) {
      work.accept(dry);
    } catch (InsufficientMemoryException e) {
      MemoryPlan plan = of(backend, work);
      throw new InsufficientMemoryException(
          ("%s memory: the model must fit %s of %s in allocations of at most %s but needs %s: %s; at"
                  + " first, %s; use --backend %s+cpu for what fits, a shorter"
                  + " --context or a smaller model; 'quern plan' shows every piece")
              .formatted(
                  backend.name(),
                  ByteSize.format(plan.device.memoryBytes()),
                  plan.device.id(),
                  ByteSize.format(plan.device.maxAllocationBytes()),
                  ByteSize.format(plan.resident()),
                  plan.summary(),
                  // Without what it says of itself and what would help.
                  String.valueOf(e.getMessage())
                      .replaceFirst("^[^:]*memory: ", "")
                      .replaceFirst(";.*", ""),
                  backend.name()),
          e);
    }
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
    return "weights %s, buffers %s, scratch %s"
        .formatted(
            ByteSize.format(resident(Kind.WEIGHTS)),
            ByteSize.format(resident(Kind.BUFFER)),
            ByteSize.format(resident(Kind.SCRATCH)));
  }

  /** Notes by how much the memory in use grows. */
  private record Recorder(Backend inner, List<Entry> entries) implements Backend {
    private <T> T noted(Kind kind, String label, long stored, Supplier<T> call) {
      long before = inner.statistics().residentBytes();
      T result = call.get();
      long grown = inner.statistics().residentBytes() - before;
      entries.add(new Entry(kind, label, stored, grown));
      return result;
    }

    @Override
    public Tensor adopt(String label, WeightFormat format, Shape shape, MemorySegment data) {
      return noted(
          Kind.WEIGHTS, label, data.byteSize(), () -> inner.adopt(label, format, shape, data));
    }

    @Override
    public Buffer allocate(String label, long bytes) {
      return noted(Kind.BUFFER, label, bytes, () -> inner.allocate(label, bytes));
    }

    @Override
    public CompiledBatch compile(CommandBatch batch, CompileOptions options) {
      return noted(Kind.SCRATCH, batch.name(), 0, () -> inner.compile(batch, options));
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
