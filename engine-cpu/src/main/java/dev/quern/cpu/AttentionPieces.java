package dev.quern.cpu;

import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.op.Attention;
import dev.quern.core.plan.Access;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Results of the pieces of sequences, each under its own largest score, and what joins them. A row
 * of the tensor has the sums of values of all heads, piece by piece, then the largest scores, then
 * the sums of weights.
 *
 * @param attention whose results
 * @param count the most pieces of a sequence
 * @param tensor holds them
 * @param place where it lies
 * @param math operations on rows
 */
record AttentionPieces(
    RowAttention attention, int count, Tensor tensor, Place place, RowMath math) {
  /** The least positions of a piece, but for the only one. */
  private static final int LEAST = 64;

  /** The most pieces that are wanted of a row, for {@code workers} workers. */
  static int most(Attention op, int workers) {
    long most = Math.ceilDiv(op.keys().shape().dim(1), LEAST);
    long wanted = Math.ceilDiv(Math.max(4, workers), op.q().shape().rows());
    return workers == 1 ? 1 : Math.toIntExact(Math.clamp(wanted, 1, most));
  }

  /** Shape of the tensor. */
  static Shape shape(Attention op, int count) {
    Shape q = op.q().shape();
    return Shape.of(q.rows(), count * q.dim(1) * (q.last() + 2));
  }

  /** What a step touches that writes these and not the result. */
  Access instead(Access access) {
    return new Access(access.reads(), List.of(Access.Range.of(tensor)));
  }

  /** How many pieces a row is cut into that sees so many positions. */
  int of(int seen) {
    return Math.clamp(seen / LEAST, 1, count);
  }

  /** Takes what was summed of a piece for some cached heads. */
  void store(Frame frame, AttentionMath.Job job, int row, int piece, int firstHead, int endHead) {
    MemorySegment to = place.in(frame);
    long at = place.at(row);
    for (int kvHead = firstHead; kvHead < endHead; kvHead++) {
      job.group = kvHead - firstHead;
      int first = piece * heads() + kvHead * attention.group;
      for (int i = 0; i < attention.group; i++) {
        int h = job.head() + i;
        job.factors[h] = 1;
        to.set(RowMath.F32, at + maximum(first + i), job.max[h]);
        to.set(RowMath.F32, at + sum(first + i), job.sum[h]);
      }
      attention.math.end(job, to, at + 4L * first * attention.size);
    }
  }

  /** The operation that joins them. */
  RowOp join() {
    Attention op = attention.op;
    Tensor sinks = op.sinks();
    return new RowOp(
        "pieces of attention",
        List.of(),
        attention.rows,
        List.of(tensor),
        sinks == null ? List.of() : List.of(sinks),
        op.writes(),
        List.of(),
        this::join);
  }

  private void join(Frame frame, int row) {
    MemorySegment from = place.in(frame);
    MemorySegment y = attention.y.in(frame);
    long at = place.at(row);
    int size = attention.size;
    int last = attention.last(frame, row);
    int all = of(last + 1 - attention.first(last)) * heads();
    for (int head = 0; head < heads(); head++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int i = head; i < all; i += heads()) {
        max = Math.max(max, from.get(RowMath.F32, at + maximum(i)));
      }
      float sum = 0;
      for (int i = head; i < all; i += heads()) {
        sum += kept(from, at, i, max) * from.get(RowMath.F32, at + sum(i));
      }
      float factor = attention.factor(frame, head, max, sum);
      long to = attention.y.at(row) + 4L * head * size;
      for (int i = head; i < all; i += heads()) {
        float weight = factor * kept(from, at, i, max);
        long values = at + 4L * i * size;
        if (i == head) {
          math.mulScalar(from, values, weight, y, to, size);
        } else {
          math.addScaled(from, values, weight, y, to, size);
        }
      }
    }
  }

  /**
   * What is left of the sums of a piece under the largest score of all: nothing of an empty one.
   */
  private float kept(MemorySegment from, long at, int head, float max) {
    return (float) Math.exp(from.get(RowMath.F32, at + maximum(head)) - max);
  }

  private int heads() {
    return attention.kvHeads * attention.group;
  }

  private long maximum(int head) {
    return 4L * (count * heads() * attention.size + head);
  }

  private long sum(int head) {
    return maximum(count * heads() + head);
  }
}
