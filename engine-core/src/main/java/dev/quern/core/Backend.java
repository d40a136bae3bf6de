package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * An opened device. Thread-safe; submits of all threads are serialised in order.
 *
 * <p>There is never a method per operation: operations are records, and a batch of them is
 * compiled.
 */
public interface Backend extends AutoCloseable {
  /** The provider's name. */
  String name();

  /** What this backend runs on. */
  Device device();

  /**
   * Makes a constant tensor of weights. The backend may use {@code data} in place or keep a copy in
   * a layout of its own, so {@code data} must stay alive and unchanged until the backend, or the
   * tensor's buffer, is closed, and every thread must be able to read it ({@code Arena.ofShared()},
   * not {@code ofConfined()}). The tensor's storage is a {@link Buffer}.
   *
   * @param name for messages; a {@linkplain dev.quern.core.hybrid hybrid} finds the layer in it
   * @param data exactly {@code format.bytes(shape.elements())} bytes in the format's stored layout
   * @throws IllegalArgumentException if the size of {@code data} does not match, or the backend
   *     uses it in place and one thread alone can read it
   * @throws InsufficientMemoryException if the device has no room
   */
  Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data);

  /**
   * Makes a persistent buffer, zero-filled.
   *
   * @param name for messages, as in {@link #adopt}
   * @throws InsufficientMemoryException if the device has no room
   */
  Buffer allocate(String name, long bytes);

  /** Whether {@code op} has a kernel of this backend's own, and which. Compiles nothing. */
  Support supports(Op op, Precision precision);

  /**
   * Lowers, plans and builds a batch. An operation that {@link #supports} answers {@link
   * Support.No} for is run all the same, through the reference.
   *
   * @throws BackendException if a kernel cannot be built
   * @throws InsufficientMemoryException if the device has no room for scratch memory
   */
  CompiledBatch compile(CommandBatch batch, CompileOptions options);

  /**
   * Measures what this device reaches at best, in about a second. Nothing else should run on it.
   * The default measures one thread of plain Java on the host.
   *
   * @throws BackendException if the device fails or has no room
   */
  default Limits measureLimits() {
    return Limits.ofHost(1);
  }

  /**
   * A backend like this one that holds nothing and computes nothing: it adopts, allocates and
   * compiles as this one would and refuses what this one would refuse, but no weight moves and
   * nothing can be submitted or read. Its statistics say how much memory the same work takes here.
   *
   * <p>The default is right for a backend on the host that uses weights in place: it refuses
   * nothing.
   *
   * @param memoryBytes how much memory it believes in; 0 for what is free, {@link Long#MAX_VALUE}
   *     to refuse nothing for lack of memory
   */
  default Backend dryRun(long memoryBytes) {
    return new DryRunBackend(this);
  }

  /**
   * Tells what is to come, before it comes, so that a backend with limits can refuse it as a whole
   * or make arrangements. The default does nothing.
   *
   * @param work does on the backend it is given, a {@link #dryRun dry run}, what will then be done
   *     on this one: adopts, allocates and compiles; may be called several times
   * @return false if the backend can make do, but would do better with work that needs less memory
   * @throws InsufficientMemoryException if the device has no room; the message says how much is
   *     needed and what would help
   */
  default boolean prepare(Consumer<Backend> work) {
    return true;
  }

  /** Counters since this backend was opened. */
  Statistics statistics();

  /**
   * Waits for all submits and gives everything back, buffers and compiled batches included. Closing
   * twice does nothing; every other use of a closed backend that needs the device throws {@link
   * IllegalStateException}.
   */
  @Override
  void close();
}
