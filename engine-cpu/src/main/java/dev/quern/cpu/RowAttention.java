package dev.quern.cpu;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Attention of a row by the query heads of some cached heads, and where its operands lie. */
final class RowAttention {
  final Attention op;
  final AttentionMath math;
  final Frame.Rows rows;
  final Place q;
  final Place keys;
  final Place values;
  final Place y;
  final int kvHeads;
  final int group;
  final int size;
  final int elementBytes;
  private final Place sequences;
  private final Place positions;
  private final @Nullable Place sinks;
  private final long context;

  RowAttention(Attention op, Kernels kernels, Memory memory) {
    this.op = op;
    math = kernels.attention();
    rows = Frame.Rows.of(op.q());
    q = memory.place(op.q());
    keys = memory.place(op.keys());
    values = memory.place(op.values());
    sequences = memory.place(op.sequences());
    positions = memory.place(op.positions());
    Tensor sinkScores = op.sinks();
    sinks = sinkScores == null ? null : memory.place(sinkScores);
    y = memory.place(op.y());
    kvHeads = Math.toIntExact(op.keys().shape().dim(2));
    group = Math.toIntExact(op.q().shape().dim(1)) / kvHeads;
    size = Math.toIntExact(op.q().shape().last());
    context = op.keys().shape().dim(1);
    elementBytes = op.keys().format().equals(WeightFormats.F16) ? 2 : 4;
  }

  int sequence(Frame frame, int row) {
    return RowOps.index(op, frame, sequences, row, op.keys().shape().rows());
  }

  /** The last position that a row sees, its own. */
  int last(Frame frame, int row) {
    return RowOps.index(op, frame, positions, row, context);
  }

  /** The first position that a row at {@code last} sees. */
  int first(int last) {
    int window = op.rule().window();
    return window == 0 ? 0 : Math.max(0, last + 1 - window);
  }

  /** Where the vector of a head starts in the cache, from the start of the cache. */
  long offset(int sequence, int position, int kvHead) {
    return ((sequence * context + position) * kvHeads + kvHead) * size * elementBytes;
  }

  /** Bytes from one position of the cache to the next. */
  long stride() {
    return (long) kvHeads * size * elementBytes;
  }

  /** Sums the positions {@code from} to before {@code to} for a row and some cached heads. */
  void sum(
      Frame frame, AttentionMath.Job job, int row, int firstHead, int endHead, int from, int to) {
    job.half = elementBytes == 2;
    job.size = size;
    job.heads = group;
    job.scale = op.rule().scale();
    job.softCap = op.rule().softCap();
    job.stride = stride();
    job.keys = keys.in(frame);
    job.values = values.in(frame);
    for (int head = firstHead; head < endHead; head++) {
      job.group = head - firstHead;
      math.begin(job, q.in(frame), q.at(row) + 4L * head * group * size);
    }
    int sequence = sequence(frame, row);
    for (int at = from; at < to; at += AttentionMath.PART) {
      job.positions = Math.min(AttentionMath.PART, to - at);
      if (endHead - firstHead == kvHeads) {
        long offset = offset(sequence, at, 0);
        long bytes = job.positions * job.stride;
        job.touched += touch(job.keys, keys.offset() + offset, bytes);
        job.touched += touch(job.values, values.offset() + offset, bytes);
      }
      for (int head = firstHead; head < endHead; head++) {
        long offset = offset(sequence, at, head);
        job.group = head - firstHead;
        job.keysAt = keys.offset() + offset;
        job.valuesAt = values.offset() + offset;
        math.add(job);
      }
    }
  }

  /**
   * Reads a number of each cache line in order: the processor fetches ahead of this and not of
   * loops that go head by head, and more lines are under way at once than in a loop of arithmetic.
   */
  private static long touch(MemorySegment cache, long at, long bytes) {
    long sum = 0;
    for (long i = 0; i <= bytes - 64; i += 64) {
      sum += cache.get(RowMath.I32, at + i);
    }
    return sum;
  }

  /** Stores the results of a row and some cached heads, all positions of which were summed. */
  void finish(Frame frame, AttentionMath.Job job, int row, int firstHead, int endHead) {
    for (int head = firstHead; head < endHead; head++) {
      job.group = head - firstHead;
      for (int h = job.head(); h < job.head() + group; h++) {
        int query = head * group + h - job.head();
        job.factors[h] = factor(frame, query, job.max[h], job.sum[h]);
      }
      math.end(job, y.in(frame), y.at(row) + 4L * head * group * size);
    }
  }

  /**
   * By what a sum of values must be multiplied.
   *
   * @param head number of the query head
   * @param max largest score
   * @param sum sum of the weights under that score
   */
  float factor(Frame frame, int head, float max, float sum) {
    if (sinks == null) {
      return 1 / sum;
    }
    float sink = sinks.in(frame).get(RowMath.F32, sinks.offset() + 4L * head);
    return (float) (1 / (sum + Math.exp((double) sink - max)));
  }
}
