package dev.quern.cpu;

import dev.quern.core.HostBuffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.Interleave;
import dev.quern.cpu.kernel.RowLanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** A weight matrix, or a stack of them, interleaved. */
final class Interleaved implements Rows, AutoCloseable {
  /** What a kernel with float32 activations needs of a worker: 256 columns of 32 rows. */
  static final long SCRATCH = 4L * 256 * 32;

  private static final long ALIGNMENT = 128;

  final RowLanes kernels;
  final MemorySegment bytes;
  private final Arena arena = Arena.ofShared();
  private final Interleave layout;
  private final long groups;
  private final long groupBytes;

  /** Makes room; {@link #filling} fills it. */
  Interleaved(Tensor w, RowLanes kernels) {
    this.kernels = kernels;
    layout = kernels.layout();
    Shape shape = w.shape();
    groups = layout.groups(rows(shape));
    groupBytes = layout.groupBytes(shape.last());
    bytes = arena.allocate(bytes(w, kernels), ALIGNMENT);
  }

  /** Bytes that an interleaved weight takes. */
  static long bytes(Tensor w, RowLanes kernels) {
    Interleave layout = kernels.layout();
    Shape shape = w.shape();
    return matrices(shape) * layout.groups(rows(shape)) * layout.groupBytes(shape.last());
  }

  /** What workers do together to fill this from {@code w}. */
  Workers.Task filling(Tensor w) {
    MemorySegment stored =
        HostBuffer.segment((HostBuffer) w.storage()).asSlice(w.offset(), w.bytes());
    Shape shape = w.shape();
    int rows = rows(shape);
    int k = Math.toIntExact(shape.last());
    long rowBytes = layout.format().bytes(k);
    long all = matrices(shape) * groups;
    AtomicInteger claimed = new AtomicInteger();
    return worker -> {
      for (int i = claimed.getAndIncrement(); i < all; i = claimed.getAndIncrement()) {
        int first = Math.toIntExact(i % groups * layout.lanes());
        long from = (i / groups * rows + first) * rowBytes;
        int count = Math.min(layout.lanes(), rows - first);
        layout.pack(stored, from, rowBytes, count, k, bytes, i * groupBytes);
      }
    };
  }

  private static int rows(Shape shape) {
    return Math.toIntExact(shape.dim(shape.rank() - 2));
  }

  private static long matrices(Shape shape) {
    return shape.rank() == 3 ? shape.dim(0) : 1;
  }

  @Override
  public void point(Dot.Job job, Frame frame, int matrix, int row) {
    job.w = bytes;
    job.wAt = group(matrix, row);
    job.rowBytes = groupBytes;
  }

  /** Where the group of a row starts. */
  long group(int matrix, int row) {
    return (matrix * groups + row / layout.lanes()) * groupBytes;
  }

  @Override
  public String explain() {
    return " interleaved";
  }

  @Override
  public void close() {
    arena.close();
  }
}
