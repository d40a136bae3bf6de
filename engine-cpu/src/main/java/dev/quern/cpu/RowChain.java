package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Row operations one after the other; a unit is a row. */
final class RowChain implements Step {
  private final Frame.Rows rows;
  private final List<RowOp> ops = new ArrayList<>();
  private RowOp.Body[] bodies = {};

  RowChain(RowOp first) {
    rows = first.rows();
    add(first);
  }

  /** Whether {@code op} may be added. */
  boolean takes(RowOp op) {
    return ops.stream().allMatch(op::follows);
  }

  void add(RowOp op) {
    ops.add(op);
    bodies = ops.stream().map(RowOp::body).toArray(RowOp.Body[]::new);
  }

  @Override
  public Access access() {
    List<Access.Range> reads = new ArrayList<>();
    List<Access.Range> writes = new ArrayList<>();
    for (RowOp op : ops) {
      reads.addAll(op.access().reads());
      writes.addAll(op.access().writes());
    }
    return new Access(reads, writes);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(rows);
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    for (RowOp.Body body : bodies) {
      body.run(frame, unit);
    }
  }

  @Override
  public long scratchBytes() {
    return 0;
  }

  @Override
  public long weightBytes() {
    return 0;
  }

  @Override
  public List<Op> ops() {
    return ops.stream().flatMap(op -> op.ops().stream()).toList();
  }

  @Override
  public String explain() {
    return "rows: " + ops.stream().map(RowOp::name).collect(Collectors.joining(" + "));
  }
}
