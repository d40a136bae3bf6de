package dev.quern.cpu;

import dev.quern.core.op.Attention;
import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.cpu.kernel.AttentionMath;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention of few rows. A unit is a row, a cached head with the query heads that share it, and a
 * piece of the sequence: there are as many pieces as give each worker work.
 */
final class AttentionStep implements Step {
  /** The least positions of a piece. */
  private static final int LEAST = 64;

  /** The most pieces. */
  private static final int MOST = 16;

  private final RowAttention attention;
  private final @Nullable AttentionPieces pieces;

  /** With room for the results of pieces, if a sequence is cut in several. */
  AttentionStep(RowAttention attention, @Nullable AttentionPieces pieces) {
    this.attention = attention;
    this.pieces = pieces;
  }

  /** In how many pieces a sequence is cut for {@code workers} workers: two units for each. */
  static int pieces(Attention op, int workers) {
    long units = op.q().shape().rows() * op.keys().shape().dim(2);
    long most = Math.min(MOST, Math.ceilDiv(op.keys().shape().dim(1), LEAST));
    return workers == 1 ? 1 : Math.toIntExact(Math.clamp(2L * workers / units, 1, most));
  }

  @Override
  public Access access() {
    Access access = Access.of(attention.op);
    return pieces == null ? access : pieces.instead(access);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(attention.rows) * count() * attention.kvHeads;
  }

  private int count() {
    return pieces == null ? 1 : pieces.count();
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int kvHead = unit % attention.kvHeads;
    int piece = unit / attention.kvHeads % count();
    int row = unit / attention.kvHeads / count();
    int end = attention.last(frame, row) + 1;
    int first = attention.first(end - 1);
    int length = Math.max(LEAST, Math.ceilDiv(end - first, count()));
    int from = Math.min(end, first + piece * length);
    int to = Math.min(end, from + length);
    AttentionMath.Job job = worker.attention;
    attention.sum(frame, job, row, kvHead, from, to);
    if (pieces == null) {
      attention.finish(frame, job, row, kvHead);
    } else {
      pieces.store(frame, job, row, piece, kvHead);
    }
  }

  @Override
  public void reserve(Worker worker) {
    worker.attention.reserve(attention.group, attention.size, 0);
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
    return List.of(attention.op);
  }

  @Override
  public String explain() {
    return "attention %s, %d query heads to each of %d cached, %d piece(s)"
        .formatted(attention.op.keys(), attention.group, attention.kvHeads, count());
  }
}
