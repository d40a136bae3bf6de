package dev.quern.core.plan;

import dev.quern.core.Tensor;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.core.op.Rope;
import java.util.List;

/**
 * The least that an operation must move and compute: each operand once, at its stored size.
 *
 * @param bytes bytes read and written
 * @param flops float32 operations, a multiply-add being two; only products and attention count
 */
public record Cost(long bytes, long flops) {
  /** Nothing. */
  public static final Cost NONE = new Cost(0, 0);

  /**
   * The cost of an operation.
   *
   * @param rows live rows of every activation that has live rows; no more than its capacity count
   * @param depth positions that a row of attention sees, its own included
   */
  public static Cost of(Op op, long rows, long depth) {
    return switch (op) {
      case Projection p ->
          new Cost(
              touched(p.x(), rows) + p.w().bytes() + touched(p.y(), rows),
              2 * p.w().shape().elements() * live(p.x(), rows));
      case ExpertMatMul e -> experts(e, rows);
      case Attention a -> attention(a, rows, depth);
      case Embed e -> new Cost(live(e.y(), rows) * e.table().rowBytes() + touched(e.y(), rows), 0);
      case GatherRows g -> new Cost(2 * touched(g.y(), rows), 0);
      case KvAppend k ->
          new Cost(
              touched(k.x(), rows)
                  + live(k.x(), rows) * k.cache().format().bytes(k.x().shape().rowElements()),
              0);
      case Rope r ->
          new Cost(2 * touched(r.x(), rows) + live(r.x(), rows) * r.table().rowBytes(), 0);
      default -> new Cost(touched(op.reads(), rows) + touched(op.writes(), rows), 0);
    };
  }

  /** The cost of several operations, one after the other. */
  public static Cost of(List<Op> ops, long rows, long depth) {
    return ops.stream().map(op -> of(op, rows, depth)).reduce(NONE, Cost::plus);
  }

  /**
   * Bytes of weights that an operation streams, however many of its rows live: those of a product.
   * Of tables such as an embedding only some rows are read, which do not count.
   */
  public static long weightBytes(Op op) {
    return switch (op) {
      case Projection p -> p.w().bytes();
      case ExpertMatMul e -> read(e, chosen(e, Long.MAX_VALUE));
      default -> 0;
    };
  }

  /** Both. */
  public Cost plus(Cost other) {
    return new Cost(bytes + other.bytes, flops + other.flops);
  }

  /** An expert that several rows chose is counted once, but never more experts than there are. */
  private static Cost experts(ExpertMatMul e, long rows) {
    long chosen = chosen(e, rows);
    return new Cost(
        touched(e.x(), rows) + read(e, chosen) + touched(e.y(), rows),
        2 * e.w().shape().rowElements() * chosen);
  }

  private static long chosen(ExpertMatMul e, long rows) {
    return live(e.x(), rows) * e.ids().shape().last();
  }

  private static long read(ExpertMatMul e, long chosen) {
    return Math.min(chosen, e.w().shape().rows()) * e.w().rowBytes();
  }

  private static Cost attention(Attention a, long rows, long depth) {
    long seen = a.rule().window() == 0 ? depth : Math.min(depth, a.rule().window());
    long context = a.keys().shape().dim(1);
    long cached = Math.min(seen, context) * (a.keys().rowBytes() / context);
    return new Cost(
        2 * touched(a.q(), rows) + 2 * cached,
        4 * seen * a.q().shape().rowElements() * live(a.q(), rows));
  }

  private static long live(Tensor tensor, long rows) {
    long capacity = tensor.shape().rows();
    return tensor.liveRows() == null ? capacity : Math.min(rows, capacity);
  }

  private static long touched(Tensor tensor, long rows) {
    return live(tensor, rows) * tensor.rowBytes();
  }

  private static long touched(List<Tensor> tensors, long rows) {
    return tensors.stream().mapToLong(tensor -> touched(tensor, rows)).sum();
  }
}
