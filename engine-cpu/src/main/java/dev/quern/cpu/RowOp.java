package dev.quern.cpu;

import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An operation that computes each row of its result from the same row of its inputs, and perhaps
 * from constants. Such operations are chained: a worker takes a row through all of them while it is
 * in the first-level cache, and no barrier stands between them.
 *
 * @param name the operation
 * @param ops the operation itself, or none
 * @param rows how many rows
 * @param reads tensors of which row r is read for row r
 * @param whole tensors that are read anywhere
 * @param writes tensors of which row r is written for row r
 * @param anywhere tensors that are written anywhere
 * @param body computes a row
 */
record RowOp(
    String name,
    List<Op> ops,
    Frame.Rows rows,
    List<Tensor> reads,
    List<Tensor> whole,
    List<Tensor> writes,
    List<Tensor> anywhere,
    Body body) {
  /** Computes a row. */
  @FunctionalInterface
  interface Body {
    void run(Frame frame, int row);
  }

  Access access() {
    return new Access(
        Stream.concat(reads.stream(), whole.stream()).map(Access.Range::of).toList(),
        Stream.concat(writes.stream(), anywhere.stream()).map(Access.Range::of).toList());
  }

  /** Whether this may follow {@code earlier} row by row: where they meet, they meet in one row. */
  boolean follows(RowOp earlier) {
    return rows.equals(earlier.rows)
        && aligned(reads, earlier.writes)
        && aligned(writes, earlier.reads)
        && aligned(writes, earlier.writes)
        && apart(whole, earlier.writes)
        && apart(whole, earlier.anywhere)
        && apart(reads, earlier.anywhere)
        && apart(writes, earlier.anywhere)
        && apart(writes, earlier.whole)
        && apart(anywhere, earlier.reads)
        && apart(anywhere, earlier.whole)
        && apart(anywhere, earlier.writes)
        && apart(anywhere, earlier.anywhere);
  }

  private static boolean aligned(List<Tensor> some, List<Tensor> others) {
    return some.stream()
        .allMatch(a -> others.stream().allMatch(b -> !meet(a, b) || sameBytes(a, b)));
  }

  private static boolean apart(List<Tensor> some, List<Tensor> others) {
    return some.stream().noneMatch(a -> others.stream().anyMatch(b -> meet(a, b)));
  }

  private static boolean sameBytes(Tensor a, Tensor b) {
    return a.offset() == b.offset()
        && a.bytes() == b.bytes()
        && Objects.equals(a.liveRows(), b.liveRows());
  }

  private static boolean meet(Tensor a, Tensor b) {
    return a.storage().equals(b.storage())
        && a.offset() < b.offset() + b.bytes()
        && b.offset() < a.offset() + a.bytes();
  }
}
