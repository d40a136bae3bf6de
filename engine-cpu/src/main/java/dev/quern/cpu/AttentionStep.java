package dev.quern.cpu;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowMath;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attention; a unit is one row and the query heads that share a cached head. */
final class AttentionStep implements Step {
  private final Attention op;
  private final AttentionMath attention;
  private final RowMath math;
  private final Frame.Rows rows;
  private final Place q;
  private final Place keys;
  private final Place values;
  private final Place sequences;
  private final Place positions;
  private final @Nullable Place sinks;
  private final Place y;
  private final int kvHeads;
  private final int group;
  private final int size;
  private final long context;
  private final int elementBytes;

  AttentionStep(Attention op, Kernels kernels, Memory memory) {
    this.op = op;
    attention = kernels.attention();
    math = kernels.rows();
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

  @Override
  public Access access() {
    return Access.of(op);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(rows) * kvHeads;
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int row = unit / kvHeads;
    int kvHead = unit % kvHeads;
    int sequence = RowOps.index(op, frame, sequences, row, op.keys().shape().rows());
    int position = RowOps.index(op, frame, positions, row, context);
    int window = op.rule().window();
    int seen = window == 0 ? position + 1 : Math.min(window, position + 1);
    long first = sequence * context + position + 1 - seen;
    long head = first * kvHeads * size + (long) kvHead * size;

    AttentionMath.Cache cache = worker.cache;
    cache.half = elementBytes == 2;
    cache.stride = (long) elementBytes * kvHeads * size;
    cache.positions = seen;
    cache.size = size;
    for (int h = kvHead * group; h < (kvHead + 1) * group; h++) {
      long vector = 4L * h * size;
      cache.bytes = keys.in(frame);
      cache.at = keys.offset() + elementBytes * head;
      attention.scores(
          cache, q.in(frame), q.at(row) + vector, op.rule().scale(), worker.scratch, 0);
      float factor = weights(frame, worker.scratch, seen, h);
      cache.bytes = values.in(frame);
      cache.at = values.offset() + elementBytes * head;
      attention.weighted(cache, worker.scratch, 0, factor, y.in(frame), y.at(row) + vector);
    }
  }

  /** Turns scores into weights, and returns by what they must be multiplied to sum to 1. */
  private float weights(Frame frame, MemorySegment scores, int seen, int head) {
    float cap = op.rule().softCap();
    if (cap != 0) {
      for (long j = 0; j < seen; j++) {
        float score = scores.get(RowMath.F32, 4 * j);
        scores.set(RowMath.F32, 4 * j, (float) (cap * Math.tanh(score / cap)));
      }
    }
    float max = math.max(scores, 0, seen);
    if (sinks == null) {
      return 1 / math.exponentials(scores, 0, max, scores, 0, seen);
    }
    float sink = sinks.in(frame).get(RowMath.F32, sinks.offset() + 4L * head);
    max = Math.max(max, sink);
    float sum = math.exponentials(scores, 0, max, scores, 0, seen);
    return (float) (1 / (sum + Math.exp(sink - max)));
  }

  @Override
  public long scratchBytes() {
    int window = op.rule().window();
    return 4 * (window == 0 ? context : Math.min(context, window));
  }

  @Override
  public long weightBytes() {
    return 0;
  }

  @Override
  public List<Op> ops() {
    return List.of(op);
  }

  @Override
  public String explain() {
    return "attention %s, %d query heads to each of %d cached".formatted(op.keys(), group, kvHeads);
  }
}
