package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.cpu.kernel.AttentionMath;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention of few rows. A row is cut into units, one for each worker or some more: pieces of the
 * sequence with all heads, as they lie in memory, and where it is short also ranges of heads.
 */
final class AttentionStep implements Step {
  private final RowAttention attention;
  private final @Nullable AttentionPieces pieces;
  private final int rowUnits;

  /** For so many workers, with room for the results of pieces if a sequence may be cut. */
  AttentionStep(RowAttention attention, @Nullable AttentionPieces pieces, int workers) {
    this.attention = attention;
    this.pieces = pieces;
    int most = pieces == null ? 1 : pieces.count();
    rowUnits = workers == 1 ? 1 : Math.max(most, attention.kvHeads);
  }

  @Override
  public Access access() {
    Access access = Access.of(attention.op);
    return pieces == null ? access : pieces.instead(access);
  }

  @Override
  public int units(Frame frame) {
    return frame.rows(attention.rows) * rowUnits;
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int row = unit / rowUnits;
    int end = attention.last(frame, row) + 1;
    int first = attention.first(end - 1);
    int cut = pieces == null ? 1 : pieces.of(end - first);
    int ranges = cut == count() && cut > 1 ? 1 : Math.min(attention.kvHeads, rowUnits / cut);
    int piece = unit % rowUnits / ranges;
    if (piece >= cut) {
      return;
    }
    int range = unit % rowUnits % ranges;
    int firstHead = attention.kvHeads * range / ranges;
    int endHead = attention.kvHeads * (range + 1) / ranges;
    int from = first + (int) ((long) (end - first) * piece / cut);
    int to = first + (int) ((long) (end - first) * (piece + 1) / cut);
    AttentionMath.Job job = worker.attention;
    attention.sum(frame, job, row, firstHead, endHead, from, to);
    if (pieces == null) {
      attention.finish(frame, job, row, firstHead, endHead);
    } else {
      pieces.store(frame, job, row, piece, firstHead, endHead);
    }
  }

  private int count() {
    return pieces == null ? 1 : pieces.count();
  }

  @Override
  public void reserve(Worker worker) {
    worker.attention.reserve(attention.group, attention.kvHeads, attention.size, 0);
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
    return "attention %s, %d query heads to each of %d cached, %d pieces at most"
        .formatted(attention.op.keys(), attention.group, attention.kvHeads, count());
  }
}
