package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.core.plan.Plan;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.ToLongBiFunction;

/**
 * The dry run of a backend on the host: weights are used in place, buffers and scratch memory are
 * counted, and nothing is refused.
 */
public final class DryRunBackend implements Backend {
  private final Backend origin;
  private final ToLongBiFunction<CommandBatch, CompileOptions> scratch;
  private long adopted;
  private long resident;
  private long buffers;
  private long batches;

  /**
   * A dry run.
   *
   * @param origin says who this is and what it supports
   * @param scratch bytes of scratch memory that {@code origin} would take for a batch
   */
  public DryRunBackend(Backend origin, ToLongBiFunction<CommandBatch, CompileOptions> scratch) {
    this.origin = origin;
    this.scratch = scratch;
  }

  /** A dry run of a backend that runs operations one by one. */
  DryRunBackend(Backend origin) {
    this(origin, (batch, options) -> planned(batch));
  }

  private static long planned(CommandBatch batch) {
    return Plan.of(batch.ops().stream().map(Access::of).toList(), batch.bound()).scratchBytes();
  }

  @Override
  public String name() {
    return origin.name();
  }

  @Override
  public Device device() {
    return origin.device();
  }

  @Override
  public synchronized Tensor adopt(
      String name, WeightFormat format, Shape shape, MemorySegment data) {
    adopted += data.byteSize();
    buffers++;
    return Tensor.of(name, new DryBuffer(name, data.byteSize(), false), shape, format);
  }

  @Override
  public synchronized Buffer allocate(String name, long bytes) {
    resident += bytes;
    buffers++;
    return new DryBuffer(name, bytes, true);
  }

  @Override
  public Support supports(Op op, Precision precision) {
    return origin.supports(op, precision);
  }

  @Override
  public synchronized CompiledBatch compile(CommandBatch batch, CompileOptions options) {
    long bytes = scratch.applyAsLong(batch, options);
    resident += bytes;
    batches++;
    return new DryBatch(batch, bytes);
  }

  @Override
  public Backend dryRun(long memoryBytes) {
    return origin.dryRun(memoryBytes);
  }

  @Override
  public synchronized Statistics statistics() {
    return new Statistics(adopted, 0, 0, resident, 0, 0, 0, 0, 0, 0, 0, buffers, batches);
  }

  @Override
  public void close() {}

  private synchronized void free(long bytes, int buffer, int batch) {
    resident -= bytes;
    buffers -= buffer;
    batches -= batch;
  }

  private static IllegalStateException dry(String what) {
    return new IllegalStateException("%s: a dry run computes nothing".formatted(what));
  }

  /** A size with a name. */
  private final class DryBuffer implements Buffer {
    private final String name;
    private final long bytes;
    private final boolean resident;
    private boolean closed;

    DryBuffer(String name, long bytes, boolean resident) {
      this.name = name;
      this.bytes = bytes;
      this.resident = resident;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public void write(long offset, MemorySegment source) {
      Objects.checkFromIndexSize(offset, source.byteSize(), bytes);
    }

    @Override
    public void read(long offset, MemorySegment target) {
      throw dry("buffer " + name);
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        free(resident ? bytes : 0, 1, 0);
      }
    }
  }

  /** A batch that is never submitted. */
  private final class DryBatch implements CompiledBatch {
    private final CommandBatch batch;
    private final long bytes;
    private boolean closed;

    DryBatch(CommandBatch batch, long bytes) {
      this.batch = batch;
      this.bytes = bytes;
    }

    @Override
    public CommandBatch batch() {
      return batch;
    }

    @Override
    public Completion submit(Bindings bindings) {
      throw dry(batch.name());
    }

    @Override
    public String explain() {
      return "%s on %s: a dry run".formatted(batch.name(), origin.name());
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        free(bytes, 0, 1);
      }
    }
  }
}
