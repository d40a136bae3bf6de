package dev.quern.cpu;

import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.Dot;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A projection through chosen experts. A unit is some rows of one expert's matrix: it serves all
 * activations that chose the expert, so its weights are read from memory once.
 */
final class ExpertStep implements Step {
  private final ExpertMatMul op;
  private final Dot kernel;
  private final Frame.Rows rows;
  private final Place x;
  private final Rows w;
  private final Place ids;
  private final Place y;
  private final @Nullable SideUse side;
  private final int experts;
  private final int outputs;
  private final int k;
  private final int used;
  private final boolean shared;
  private final int unitRows;
  private final int unitsPerExpert;

  ExpertStep(ExpertMatMul op, Dot kernel, Rows w, Memory memory, @Nullable SideUse side) {
    this.op = op;
    this.kernel = kernel;
    this.side = side;
    rows = Frame.Rows.of(op.x());
    x = memory.place(op.x());
    this.w = w;
    ids = memory.place(op.ids());
    y = memory.place(op.y());
    experts = Math.toIntExact(op.w().shape().rows());
    outputs = Math.toIntExact(op.w().shape().dim(1));
    k = Math.toIntExact(op.w().shape().last());
    used = Math.toIntExact(op.ids().shape().last());
    shared = op.x().shape().rank() == 2;
    unitRows = DotStep.unitRows(kernel, op.w().rowBytes() / outputs);
    unitsPerExpert = Math.ceilDiv(outputs, unitRows);
  }

  @Override
  public Access access() {
    Access access = Access.of(op);
    return side == null ? access : side.with(access);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(rows) == 0 ? 0 : experts * unitsPerExpert;
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int expert = unit / unitsPerExpert;
    int first = unit % unitsPerExpert * unitRows;
    int pairs = frame.rows(rows) * used;
    for (int pair = 0; pair < pairs; pair++) {
      if (RowOps.index(op, frame, ids, pair, experts) == expert) {
        pair(frame, worker.dot, expert, first, pair);
      }
    }
  }

  private void pair(Frame frame, Dot.Job job, int expert, int first, int pair) {
    int vector = shared ? pair / used : pair;
    w.point(job, frame, expert, first);
    job.rows = Math.min(unitRows, outputs - first);
    job.k = k;
    job.x = x.in(frame);
    job.xAt = x.offset() + 4L * k * vector;
    if (side != null) {
      side.point(job, vector);
    }
    job.y = y.in(frame);
    job.yAt = y.offset() + 4L * ((long) outputs * pair + first);
    kernel.run(job);
  }

  @Override
  public long scratchBytes() {
    return Math.max(4L * k, Interleaved.SCRATCH);
  }

  @Override
  public long weightBytes() {
    return op.w().bytes() / experts * Math.min(experts, (long) rows.capacity() * used);
  }

  @Override
  public List<Op> ops() {
    return List.of(op);
  }

  @Override
  public String explain() {
    return "experts %s%s, %d rows a unit, %d of %d used a row"
        .formatted(op.w(), w.explain(), unitRows, used, experts);
  }
}
