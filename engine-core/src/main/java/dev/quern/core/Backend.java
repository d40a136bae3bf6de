package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;

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
   * not {@code ofConfined()}).
   *
   * @param data exactly {@code format.bytes(shape.elements())} bytes in the format's stored layout
   * @throws IllegalArgumentException if the size of {@code data} does not match
   * @throws BackendException if the device has no room
   */
  Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment data);

  /**
   * Makes a persistent buffer, zero-filled.
   *
   * @throws BackendException if the device has no room
   */
  Buffer allocate(String name, long bytes);

  /** Whether {@code op} has a kernel of this backend's own, and which. Compiles nothing. */
  Support supports(Op op, Precision precision);

  /**
   * Lowers, plans and builds a batch.
   *
   * @throws BackendException if a kernel cannot be built
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
