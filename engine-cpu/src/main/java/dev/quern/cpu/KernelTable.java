package dev.quern.cpu;

import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.DequantMatMul;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.MatMul;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TernaryMatMul;
import dev.quern.core.op.TopK;
import dev.quern.cpu.kernel.Dot;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.Side;
import dev.quern.cpu.kernel.Tile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Which kernels serve which operation, fastest first. */
final class KernelTable {
  /** From so many rows on, decoding weights once into tiles pays. */
  private static final int TILE_ROWS = 5;

  /**
   * One way to run a kind of operation.
   *
   * @param name the kernel
   * @param refusal why it cannot run an operation, if so
   * @param maker makes it
   */
  private record Row(String name, Function<Op, Optional<String>> refusal, Maker maker) {}

  /** Makes what runs an operation. */
  @FunctionalInterface
  interface Maker {
    Lowered make(Op op, Context context);
  }

  /** What an operation becomes. */
  sealed interface Lowered {
    /** Part of a chain. */
    record Rowwise(RowOp op) implements Lowered {}

    /** A step of its own. */
    record Alone(Step step) implements Lowered {}
  }

  /** What a kernel needs of the lowering. */
  interface Context {
    RowOps rowOps();

    Memory memory();

    Precision precision();

    /** How many workers there are. */
    int workers();

    /** Has a step run before what is made now. */
    void before(Step step);

    /** A tensor that one step leaves for another. */
    Tensor temporary(String name, Shape shape, Slot.@Nullable Count live);

    /** The interleaved copy of a weight; empty if there is none. */
    Optional<Interleaved> interleaved(Tensor w);

    /** What a kernel wants of activations besides, made once; empty if nothing. */
    Optional<SideUse> side(Tensor x, Side.Form form);
  }

  /**
   * A row that took an operation, and what the rows before it said.
   *
   * @param kernel the kernel
   * @param maker makes it
   * @param refusals reasons of faster rows
   */
  record Choice(String kernel, Maker maker, List<String> refusals) {}

  private final Kernels kernels;
  private final Map<Class<?>, List<Row>> rows = new HashMap<>();

  KernelTable(Kernels kernels) {
    this.kernels = kernels;
    rowwise(Add.class, RowOps::add);
    rowwise(Mul.class, RowOps::mul);
    rowwise(Swish.class, RowOps::swish);
    rowwise(Pointwise.class, RowOps::pointwise);
    rowwise(Softmax.class, RowOps::softmax);
    rowwise(RmsNorm.class, RowOps::rmsNorm);
    rowwise(Rope.class, RowOps::rope);
    rowwise(KvAppend.class, RowOps::kvAppend);
    rowwise(Embed.class, RowOps::embed);
    rowwise(GatherRows.class, RowOps::gatherRows);
    rowwise(ExpertSum.class, RowOps::expertSum);
    rowwise(ArgMax.class, RowOps::argMax);
    rowwise(TopK.class, RowOps::topK);
    rows.put(Attention.class, List.of(attentionTiles(), attentionRows()));
    alone(ExpertMatMul.class, "experts", this::experts);
    for (Class<? extends Op> projection :
        List.of(MatMul.class, DequantMatMul.class, TernaryMatMul.class)) {
      rows.put(projection, List.of(tile(), dot()));
    }
  }

  /** The fastest kernel for an operation; empty, with no choice left, if no row takes it. */
  Optional<Choice> choose(Op op, Precision precision) {
    List<String> refusals = new ArrayList<>();
    for (Row row : rows.getOrDefault(op.getClass(), List.of())) {
      Optional<String> refusal = row.refusal.apply(op);
      if (refusal.isEmpty()) {
        return Optional.of(new Choice(row.name, row.maker, List.copyOf(refusals)));
      }
      refusals.add(row.name + ": " + refusal.get());
    }
    return Optional.empty();
  }

  private Row tile() {
    return new Row(
        "tile",
        op -> {
          long capacity = ((Projection) op).x().shape().rows();
          return capacity >= TILE_ROWS
              ? Optional.empty()
              : Optional.of("rows must be at least %d but are %d".formatted(TILE_ROWS, capacity));
        },
        (op, context) ->
            new Lowered.Alone(
                new TileStep(
                    (Projection) op,
                    kernels,
                    context.memory(),
                    context.interleaved(((Projection) op).w()).orElse(null),
                    context.workers())));
  }

  private Row attentionTiles() {
    return new Row(
        "attention tiles",
        op -> {
          Shape q = ((Attention) op).q().shape();
          if (q.rows() < TILE_ROWS) {
            return Optional.of(
                "rows must be at least %d but are %d".formatted(TILE_ROWS, q.rows()));
          }
          return q.last() <= Tile.ROWS
              ? Optional.empty()
              : Optional.of(
                  "heads must have at most %d elements but have %d".formatted(Tile.ROWS, q.last()));
        },
        (op, context) ->
            new Lowered.Alone(
                new AttentionTileStep(
                    new RowAttention((Attention) op, kernels, context.memory()), kernels)));
  }

  private Row attentionRows() {
    return new Row(
        "attention",
        op -> Optional.empty(),
        (op, context) -> {
          Attention attention = (Attention) op;
          RowAttention rowAttention = new RowAttention(attention, kernels, context.memory());
          int count = AttentionPieces.most(attention, context.workers());
          if (count == 1) {
            return new Lowered.Alone(new AttentionStep(rowAttention, null, context.workers()));
          }
          Shape shape = AttentionPieces.shape(attention, count);
          Tensor tensor = context.temporary("pieces", shape, attention.q().liveRows());
          AttentionPieces pieces =
              new AttentionPieces(
                  rowAttention, count, tensor, context.memory().place(tensor), kernels.rows());
          context.before(new AttentionStep(rowAttention, pieces, context.workers()));
          return new Lowered.Rowwise(pieces.join());
        });
  }

  private Row dot() {
    return new Row(
        "dot",
        op -> Optional.empty(),
        (op, context) -> {
          Projection projection = (Projection) op;
          Rows w = rows(projection.w(), context);
          Dot dot = kernel(projection.w(), w, context.precision());
          Optional<SideUse> side = context.side(projection.x(), dot.form());
          return new Lowered.Alone(
              new DotStep(projection, dot, w, context.memory(), side.orElse(null)));
        });
  }

  private Step experts(ExpertMatMul op, Context context) {
    Rows w = rows(op.w(), context);
    Dot dot = kernel(op.w(), w, context.precision());
    Optional<SideUse> side = context.side(op.x(), dot.form());
    return new ExpertStep(op, dot, w, context.memory(), side.orElse(null));
  }

  private static Rows rows(Tensor w, Context context) {
    Optional<Rows> interleaved = context.interleaved(w).map(Rows.class::cast);
    return interleaved.orElseGet(() -> {
      long matrices = w.shape().rank() == 3 ? w.shape().dim(0) : 1;
      long rows = w.shape().dim(w.shape().rank() - 2);
      long matrixBytes = w.bytes() / matrices;
      return new Rows.Stored(context.memory().place(w), matrixBytes, matrixBytes / rows);
    });
  }

  private Dot kernel(Tensor w, Rows rows, Precision precision) {
    return switch (rows) {
      case Rows.Stored stored -> kernels.dot(w.format());
      case Interleaved weights when precision == Precision.FAST -> weights.kernels;
      case Interleaved weights -> kernels.exact(weights.kernels);
    };
  }

  private <T extends Op> void rowwise(Class<T> type, BiFunction<RowOps, T, RowOp> maker) {
    Maker cast = (op, context) -> new Lowered.Rowwise(maker.apply(context.rowOps(), type.cast(op)));
    rows.put(type, List.of(new Row("rows", op -> Optional.empty(), cast)));
  }

  private <T extends Op> void alone(
      Class<T> type, String name, BiFunction<T, Context, Step> maker) {
    Maker cast = (op, context) -> new Lowered.Alone(maker.apply(type.cast(op), context));
    rows.put(type, List.of(new Row(name, op -> Optional.empty(), cast)));
  }
}
