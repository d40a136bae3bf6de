package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.plan.Access;
import dev.quern.cpu.kernel.AttentionMath;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import dev.quern.cpu.kernel.Unpack;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Attention of many rows. A unit is a cached head and a block of rows; those of one sequence that
 * follow each other, with all query heads that share the cached head, are the activations of two
 * products: one with a tile of {@link Tile#ROWS} keys, one with a tile of as many values, between
 * which scores become weights. Rows that stand alone are summed one by one.
 */
final class AttentionTileStep implements Step {
  /** The most activations of a unit: enough that decoding a tile is little beside its products. */
  private static final int TOKENS = 96;

  /** From so many activations on tiles pay. */
  private static final int LEAST = 12;

  private final RowAttention attention;
  private final Tile tile;
  private final TileRows keys;
  private final Unpack unpack;
  private final int blockRows;

  AttentionTileStep(RowAttention attention, Kernels kernels) {
    this.attention = attention;
    tile = kernels.tile();
    keys = new TileRows(kernels, attention.op.keys().format());
    unpack = kernels.unpack(attention.op.values().format());
    blockRows = Math.max(1, TOKENS / attention.group);
  }

  @Override
  public Access access() {
    return Access.of(attention.op);
  }

  @Override
  public int units(Frame frame) {
    return Math.ceilDiv(frame.rows(attention.rows), blockRows) * attention.kvHeads;
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int live = frame.rows(attention.rows);
    int kvHead = unit % attention.kvHeads;
    // the last rows of a prompt see most and go first
    int block = Math.ceilDiv(live, blockRows) - 1 - unit / attention.kvHeads;
    int end = Math.min(live, (block + 1) * blockRows);
    for (int row = block * blockRows; row < end; ) {
      int next = row + 1;
      int sequence = attention.sequence(frame, row);
      while (next < end && attention.sequence(frame, next) == sequence) {
        next++;
      }
      if ((next - row) * attention.group >= LEAST) {
        tiles(frame, worker, row, next, kvHead);
      } else {
        for (int r = row; r < next; r++) {
          int last = attention.last(frame, r);
          int first = attention.first(last);
          attention.sum(frame, worker.attention, r, kvHead, kvHead + 1, first, last + 1);
          attention.finish(frame, worker.attention, r, kvHead, kvHead + 1);
        }
      }
      row = next;
    }
  }

  /** Rows of one sequence. */
  private void tiles(Frame frame, Worker worker, int row, int end, int kvHead) {
    AttentionMath.Job job = worker.attention;
    Tile.Sums scores = worker.sums;
    Tile.Sums sums = worker.weighted;
    int tokens = (end - row) * attention.group;
    int first = Integer.MAX_VALUE;
    int last = 0;
    for (int r = row; r < end; r++) {
      int own = attention.last(frame, r);
      first = Math.min(first, attention.first(own));
      last = Math.max(last, own);
      queries(frame, scores, r, (r - row) * attention.group, kvHead);
    }
    Arrays.fill(job.max, 0, tokens, Float.NEGATIVE_INFINITY);
    Arrays.fill(job.sum, 0, tokens, 0);
    sums.clear(tokens);
    MemorySegment values = TileRows.tile(worker);
    int sequence = attention.sequence(frame, row);
    for (int at = first; at <= last; at += Tile.ROWS) {
      int count = Math.min(Tile.ROWS, last + 1 - at);
      long offset = attention.offset(sequence, at, kvHead);
      keys(frame, attention.keys.offset() + offset, count, worker);
      scores.clear(tokens);
      tile.multiply(values, attention.size, count, tokens, scores);
      for (int t = 0; t < tokens; t++) {
        int own = attention.last(frame, row + t / attention.group);
        int from = Math.clamp(attention.first(own) - at, 0, count);
        int to = Math.clamp(own + 1 - at, 0, count);
        weights(job, scores, sums, t, count, from, to);
      }
      values(frame, attention.values.offset() + offset, count, values, scores.part);
      tile.multiply(values, count, attention.size, tokens, sums);
    }
    store(frame, job, sums, row, end, kvHead);
  }

  private void queries(Frame frame, Tile.Sums scores, int row, int token, int kvHead) {
    long at = attention.q.at(row) + 4L * kvHead * attention.group * attention.size;
    long stride = 4L * attention.size;
    scores.take(attention.q.in(frame), at, stride, token, attention.group, attention.size);
    for (int t = token; t < token + attention.group; t++) {
      int from = t * Tile.COLUMNS;
      attention.math.scale(scores.x, from, attention.size, attention.op.rule().scale());
    }
  }

  /** Fills the tile with keys: a position is a row of it. */
  private void keys(Frame frame, long at, int count, Worker worker) {
    MemorySegment cache = attention.keys.in(frame);
    keys.fill(cache, at, attention.stride(), count, attention.size, worker);
  }

  /** Fills the tile with values: a position is a column of it. */
  private void values(Frame frame, long at, int count, MemorySegment values, float[] factors) {
    MemorySegment cache = attention.values.in(frame);
    int panel = tile.panel();
    for (int j = 0; j < count; j++) {
      long from = at + j * attention.stride();
      for (int n = 0; n < attention.size; n += panel) {
        int part = Math.min(panel, attention.size - n);
        long place = from + (long) attention.elementBytes * n;
        unpack.run(cache, place, part, values, Tile.place(j, n, panel), factors);
      }
    }
  }

  /**
   * Turns the scores of a row and head into weights; it sees positions {@code from} to {@code to}.
   */
  private void weights(
      AttentionMath.Job job,
      Tile.Sums scores,
      Tile.Sums sums,
      int token,
      int count,
      int from,
      int to) {
    AttentionMath math = attention.math;
    int at = token * Tile.ROWS;
    int whole = Math.ceilDiv(count, Tile.BAND) * Tile.BAND;
    if (from >= to) {
      Arrays.fill(sums.x, token * Tile.COLUMNS, token * Tile.COLUMNS + whole, 0);
      return;
    }
    if (attention.op.rule().softCap() != 0) {
      math.cap(scores.all, at, whole, attention.op.rule().softCap());
    }
    Arrays.fill(scores.all, at, at + from, Float.NEGATIVE_INFINITY);
    Arrays.fill(scores.all, at + to, at + whole, Float.NEGATIVE_INFINITY);
    float max = math.max(scores.all, at, whole);
    if (max > job.max[token]) {
      float kept = (float) Math.exp(job.max[token] - max);
      job.max[token] = max;
      job.sum[token] *= kept;
      math.scale(sums.all, at, attention.size, kept);
    }
    job.sum[token] +=
        math.exponentials(scores.all, at, whole, job.max[token], sums.x, token * Tile.COLUMNS);
  }

  private void store(
      Frame frame, AttentionMath.Job job, Tile.Sums sums, int row, int end, int kvHead) {
    int size = attention.size;
    MemorySegment y = attention.y.in(frame);
    for (int r = row; r < end; r++) {
      for (int h = 0; h < attention.group; h++) {
        int token = (r - row) * attention.group + h;
        int head = kvHead * attention.group + h;
        float factor = attention.factor(frame, head, job.max[token], job.sum[token]);
        attention.math.scale(sums.all, token * Tile.ROWS, size, factor);
        long to = attention.y.at(r) + 4L * head * size;
        MemorySegment.copy(sums.all, token * Tile.ROWS, y, RowMath.F32, to, size);
      }
    }
  }

  @Override
  public void reserve(Worker worker) {
    worker.attention.reserve(attention.group, 1, attention.size, tokens());
    worker.reserveWeighted(tokens());
  }

  @Override
  public int tokens() {
    return blockRows * attention.group;
  }

  @Override
  public long scratchBytes() {
    return TileRows.SCRATCH;
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
    return "attention tiles %s, %d query heads to each of %d cached, %d rows a unit"
        .formatted(attention.op.keys(), attention.group, attention.kvHeads, blockRows);
  }
}
