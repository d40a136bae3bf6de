package dev.quern.cpu;

import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import dev.quern.core.plan.Access;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.Tile;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A projection of many rows: each unit decodes {@link Tile#ROWS} weight rows, {@link Tile#COLUMNS}
 * columns at a time, into float32 once and multiplies them with all activation rows, or with some
 * of them if there would be too few units for the workers.
 */
final class TileStep implements Step {
  /**
   * The least activation rows of a unit that has not all: decoding is then little beside products.
   */
  private static final int LEAST = 60;

  private final Projection op;
  private final Frame.Rows rows;
  private final Tile tile;
  private final @Nullable Interleaved interleaved;
  private final TileRows stored;
  private final Place x;
  private final Place w;
  private final Place y;
  private final int outputs;
  private final int k;

  /** Parts of the activations that give each of many workers two units. */
  private final int wanted;

  TileStep(
      Projection op,
      Kernels kernels,
      Memory memory,
      @Nullable Interleaved interleaved,
      int workers) {
    this.op = op;
    tile = kernels.tile();
    this.interleaved = interleaved;
    stored = new TileRows(kernels, op.w().format());
    rows = Frame.Rows.of(op.x());
    x = memory.place(op.x());
    w = memory.place(op.w());
    y = memory.place(op.y());
    outputs = Math.toIntExact(op.w().shape().rows());
    k = Math.toIntExact(op.w().shape().last());
    wanted = Math.ceilDiv(2 * workers, tiles());
  }

  @Override
  public Access access() {
    return Access.of(op);
  }

  @Override
  public int units(Frame frame) {
    int live = frame.rows(rows);
    return live == 0 ? 0 : tiles() * Math.ceilDiv(live, part(live));
  }

  private int tiles() {
    return Math.ceilDiv(outputs, Tile.ROWS);
  }

  /** Activation rows of a unit: all, or groups of those that meet a tile at once. */
  private int part(int live) {
    int parts = Math.clamp(live / LEAST, 1, wanted);
    return Math.ceilDiv(Math.ceilDiv(live, parts), Tile.TOKENS) * Tile.TOKENS;
  }

  @Override
  public void run(Frame frame, Worker worker, int unit) {
    int live = frame.rows(rows);
    int from = unit / tiles() * part(live);
    run(frame, worker, unit % tiles(), from, Math.min(part(live), live - from));
  }

  private void run(Frame frame, Worker worker, int number, int from, int live) {
    int first = number * Tile.ROWS;
    int count = Math.min(Tile.ROWS, outputs - first);
    MemorySegment values = TileRows.tile(worker);
    Tile.Sums sums = worker.sums;
    sums.clear(live);
    for (int column = 0; column < k; column += Tile.COLUMNS) {
      int columns = Math.min(Tile.COLUMNS, k - column);
      if (interleaved != null) {
        fill(interleaved, first, count, column, columns, values, sums);
      } else {
        long at = w.at(first) + op.w().format().bytes(column);
        stored.fill(w.in(frame), at, w.rowBytes(), count, columns, worker);
      }
      sums.take(x.in(frame), x.at(from) + 4L * column, x.rowBytes(), 0, live, columns);
      tile.multiply(values, columns, count, live, sums);
    }
    MemorySegment target = y.in(frame);
    for (int t = 0; t < live; t++) {
      MemorySegment.copy(
          sums.all, Tile.ROWS * t, target, RowMath.F32, y.at(from + t) + 4L * first, count);
    }
  }

  private void fill(
      Interleaved from,
      int first,
      int count,
      int column,
      int columns,
      MemorySegment values,
      Tile.Sums sums) {
    int panel = tile.panel();
    int lanes = from.kernels.layout().lanes();
    for (int n = 0; n < count; n += lanes) {
      long to = Tile.place(0, n, panel);
      long group = from.group(0, first + n);
      from.kernels.fill(from.bytes, group, k, column, columns, values, to, 4L * panel, sums.part);
    }
  }

  @Override
  public long scratchBytes() {
    return TileRows.SCRATCH;
  }

  @Override
  public int tokens() {
    return rows.capacity();
  }

  @Override
  public long weightBytes() {
    return op.w().bytes();
  }

  @Override
  public List<Op> ops() {
    return List.of(op);
  }

  @Override
  public String explain() {
    return "tile %s%s, %.1f MB"
        .formatted(
            op.w(), interleaved == null ? " (through rows)" : " interleaved", op.w().bytes() / 1e6);
  }
}
