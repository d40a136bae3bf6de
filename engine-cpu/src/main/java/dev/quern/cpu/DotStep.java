package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.core.plan.Access;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.Dot;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A projection of few rows: each unit reads some weight rows once and serves all activations. */
final class DotStep implements Step {
  /** Bytes of weights in a unit: long enough to stream, short enough to share out evenly. */
  private static final long UNIT_BYTES = 48 << 10;

  private final Projection op;
  private final Dot kernel;
  private final Frame.Rows rows;
  private final Place x;
  private final Rows w;
  private final Place y;
  private final @Nullable SideUse side;
  private final int outputs;
  private final int k;
  private final int unitRows;

  DotStep(Projection op, Dot kernel, Rows w, Memory memory, @Nullable SideUse side) {
    this.op = op;
    this.kernel = kernel;
    this.side = side;
    rows = Frame.Rows.of(op.x());
    x = memory.place(op.x());
    this.w = w;
    y = memory.place(op.y());
    outputs = Math.toIntExact(op.w().shape().rows());
    k = Math.toIntExact(op.w().shape().last());
    unitRows = unitRows(kernel, op.w().bytes() / outputs);
  }

  /** Weight rows in a unit: a multiple of what a kernel takes at once and of results in a line. */
  static int unitRows(Dot kernel, long rowBytes) {
    int rows = Math.max(32, kernel.rows());
    return (int) Math.max(rows, UNIT_BYTES / rowBytes / rows * rows);
  }

  @Override
  public Access access() {
    Access access = Access.of(op);
    return side == null ? access : side.with(access);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(rows) == 0 ? 0 : Math.ceilDiv(outputs, unitRows);
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    Dot.Job job = worker.dot;
    int first = unit * unitRows;
    w.point(job, frame, 0, first);
    job.rows = Math.min(unitRows, outputs - first);
    job.k = k;
    job.x = x.in(frame);
    job.y = y.in(frame);
    int live = frame.rows(rows);
    for (int r = 0; r < live; r++) {
      job.xAt = x.at(r);
      job.yAt = y.at(r) + 4L * first;
      if (side != null) {
        side.point(job, r);
      }
      kernel.run(job);
    }
  }

  @Override
  public long scratchBytes() {
    return Math.max(4L * k, Interleaved.SCRATCH);
  }

  @Override
  public long weightBytes() {
    return op.w().bytes();
  }

  @Override
  public List<Op> ops() {
    return List.of(op);
  }

  @Override
  public String explain() {
    return "dot %s%s, %d rows a unit, %.1f MB"
        .formatted(op.w(), w.explain(), unitRows, op.w().bytes() / 1e6);
  }
}
