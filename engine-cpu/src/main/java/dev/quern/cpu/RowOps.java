package dev.quern.cpu;

import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TopK;
import dev.quern.cpu.Memory.Place;
import dev.quern.cpu.kernel.Kernels;
import dev.quern.cpu.kernel.RowMath;
import dev.quern.cpu.kernel.SideMath;
import dev.quern.cpu.kernel.Unpack;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Makes a {@link RowOp} of each operation that works row by row. */
final class RowOps {
  private final Memory memory;
  private final Kernels kernels;
  private final RowMath math;

  RowOps(Memory memory, Kernels kernels) {
    this.memory = memory;
    this.kernels = kernels;
    this.math = kernels.rows();
  }

  RowOp add(Add op) {
    Place a = memory.place(op.a());
    Place b = memory.place(op.b());
    Place y = memory.place(op.y());
    int n = length(op.y());
    int vectors = vectors(op.y());
    RowOp.Body body =
        switch (repeat(op.a(), op.b())) {
          case EACH ->
              (f, r) -> math.add(a.in(f), a.at(r), b.in(f), b.at(r), y.in(f), y.at(r), n * vectors);
          case VECTOR ->
              (f, r) -> {
                for (long v = 0; v < vectors; v++) {
                  long skip = 4 * v * n;
                  math.add(a.in(f), a.at(r) + skip, b.in(f), b.at(0), y.in(f), y.at(r) + skip, n);
                }
              };
          case ONE ->
              (f, r) ->
                  math.addScalar(a.in(f), a.at(r), first(b, f), y.in(f), y.at(r), n * vectors);
        };
    return elementwise(op, op.a(), op.b(), op.y(), body);
  }

  RowOp mul(Mul op) {
    Place a = memory.place(op.a());
    Place b = memory.place(op.b());
    Place y = memory.place(op.y());
    int n = length(op.y());
    int vectors = vectors(op.y());
    RowOp.Body body =
        switch (repeat(op.a(), op.b())) {
          case EACH ->
              (f, r) -> math.mul(a.in(f), a.at(r), b.in(f), b.at(r), y.in(f), y.at(r), n * vectors);
          case VECTOR ->
              (f, r) -> {
                for (long v = 0; v < vectors; v++) {
                  long skip = 4 * v * n;
                  math.mul(a.in(f), a.at(r) + skip, b.in(f), b.at(0), y.in(f), y.at(r) + skip, n);
                }
              };
          case ONE ->
              (f, r) ->
                  math.mulScalar(a.in(f), a.at(r), first(b, f), y.in(f), y.at(r), n * vectors);
        };
    return elementwise(op, op.a(), op.b(), op.y(), body);
  }

  RowOp swish(Swish op) {
    Place x = memory.place(op.x());
    Place y = memory.place(op.y());
    int n = length(op.x()) * vectors(op.x());
    return simple(op, (f, r) -> math.swish(x.in(f), x.at(r), y.in(f), y.at(r), n));
  }

  RowOp pointwise(Pointwise op) {
    Place x = memory.place(op.x());
    Place y = memory.place(op.y());
    int n = length(op.x()) * vectors(op.x());
    RowOp.Body body =
        switch (op.function()) {
          case Pointwise.Function.Gelu gelu ->
              (f, r) -> math.gelu(x.in(f), x.at(r), y.in(f), y.at(r), n);
          case Pointwise.Function.SoftCap(float cap) ->
              (f, r) -> math.softCap(x.in(f), x.at(r), cap, y.in(f), y.at(r), n);
          case Pointwise.Function.Clamp(float low, float high) ->
              (f, r) -> math.clamp(x.in(f), x.at(r), low, high, y.in(f), y.at(r), n);
        };
    return simple(op, body);
  }

  RowOp softmax(Softmax op) {
    Place x = memory.place(op.x());
    Place y = memory.place(op.y());
    int n = length(op.x());
    int vectors = vectors(op.x());
    return simple(
        op,
        (f, r) -> {
          for (long v = 0; v < vectors; v++) {
            long from = x.at(r) + 4 * v * n;
            long to = y.at(r) + 4 * v * n;
            float max = math.max(x.in(f), from, n);
            float sum = math.exponentials(x.in(f), from, max, y.in(f), to, n);
            math.mulScalar(y.in(f), to, 1 / sum, y.in(f), to, n);
          }
        });
  }

  RowOp rmsNorm(RmsNorm op) {
    Place x = memory.place(op.x());
    Place w = memory.place(op.weight());
    Place y = memory.place(op.y());
    int n = length(op.x());
    int vectors = vectors(op.x());
    RowOp.Body body =
        (f, r) -> {
          for (long v = 0; v < vectors; v++) {
            long from = x.at(r) + 4 * v * n;
            float squares = math.squares(x.in(f), from, n);
            float factor = (float) (1 / Math.sqrt((double) squares / n + op.epsilon()));
            math.scaleBy(x.in(f), from, factor, w.in(f), w.at(0), y.in(f), y.at(r) + 4 * v * n, n);
          }
        };
    return row(op, List.of(op.x()), List.of(op.weight()), body);
  }

  RowOp rope(Rope op) {
    Place x = memory.place(op.x());
    Place positions = memory.place(op.positions());
    Place table = memory.place(op.table());
    Place y = memory.place(op.y());
    int heads = Math.toIntExact(op.x().shape().dim(1));
    int size = length(op.x());
    int pairs = Math.toIntExact(op.table().shape().dim(1));
    boolean halves = op.pairing() == Rope.Pairing.HALVES;
    RowOp.Body body =
        (f, r) -> {
          long at = table.at(index(op, f, positions, r, op.table().shape().rows()));
          for (int h = 0; h < heads; h++) {
            long from = x.at(r) + 4L * h * size;
            long to = y.at(r) + 4L * h * size;
            if (halves) {
              math.rotateHalves(x.in(f), from, table.in(f), at, y.in(f), to, pairs);
            } else {
              rotateAdjacent(x.in(f), from, table.in(f), at, y.in(f), to, pairs);
            }
            long rotated = 8L * pairs;
            MemorySegment.copy(x.in(f), from + rotated, y.in(f), to + rotated, 4L * size - rotated);
          }
        };
    return row(op, List.of(op.x(), op.positions()), List.of(op.table()), body);
  }

  RowOp kvAppend(KvAppend op) {
    Place x = memory.place(op.x());
    Place sequences = memory.place(op.sequences());
    Place positions = memory.place(op.positions());
    Place cache = memory.place(op.cache());
    int n = length(op.x()) * vectors(op.x());
    long context = op.cache().shape().dim(1);
    long bytes = cache.rowBytes() / context;
    boolean half = op.cache().format().equals(WeightFormats.F16);
    RowOp.Body body =
        (f, r) -> {
          long sequence = index(op, f, sequences, r, op.cache().shape().rows());
          long at = cache.at(sequence) + bytes * index(op, f, positions, r, context);
          if (half) {
            math.toHalf(x.in(f), x.at(r), cache.in(f), at, n);
          } else {
            MemorySegment.copy(x.in(f), x.at(r), cache.in(f), at, bytes);
          }
        };
    return new RowOp(
        op.name(),
        List.of(op),
        Frame.Rows.of(op.x()),
        op.reads(),
        List.of(),
        List.of(),
        op.writes(),
        body);
  }

  RowOp embed(Embed op) {
    Place tokens = memory.place(op.tokens());
    Place table = memory.place(op.table());
    Place y = memory.place(op.y());
    int n = length(op.y());
    Unpack unpack = kernels.unpack(op.table().format());
    float[][] factors =
        new float[Frame.Rows.of(op.y()).capacity()][16]; // workers take rows at once
    RowOp.Body body =
        (f, r) -> {
          int token = index(op, f, tokens, r, op.table().shape().rows());
          unpack.run(table.in(f), table.at(token), n, y.in(f), y.at(r), factors[r]);
        };
    return row(op, List.of(op.tokens()), List.of(op.table()), body);
  }

  RowOp gatherRows(GatherRows op) {
    Place x = memory.place(op.x());
    Place indices = memory.place(op.indices());
    Place y = memory.place(op.y());
    RowOp.Body body =
        (f, r) -> {
          int row = index(op, f, indices, r, op.x().shape().rows());
          MemorySegment.copy(x.in(f), x.at(row), y.in(f), y.at(r), y.rowBytes());
        };
    return row(op, List.of(op.indices()), List.of(op.x()), body);
  }

  RowOp expertSum(ExpertSum op) {
    Place x = memory.place(op.x());
    Place weights = memory.place(op.weights());
    Place y = memory.place(op.y());
    int used = Math.toIntExact(op.x().shape().dim(1));
    int n = length(op.y());
    return simple(
        op,
        (f, r) -> {
          for (int j = 0; j < used; j++) {
            float weight = weights.in(f).get(RowMath.F32, weights.at(r) + 4L * j);
            long from = x.at(r) + 4L * j * n;
            if (j == 0) {
              math.mulScalar(x.in(f), from, weight, y.in(f), y.at(r), n);
            } else {
              math.addScaled(x.in(f), from, weight, y.in(f), y.at(r), n);
            }
          }
        });
  }

  RowOp argMax(ArgMax op) {
    Place x = memory.place(op.x());
    Place y = memory.place(op.y());
    int n = length(op.x());
    return simple(
        op, (f, r) -> y.in(f).set(RowMath.I32, y.at(r), Largest.index(math, x.in(f), x.at(r), n)));
  }

  RowOp topK(TopK op) {
    Place x = memory.place(op.x());
    Place values = memory.place(op.values());
    Place ids = memory.place(op.ids());
    int n = length(op.x());
    int k = length(op.values());
    return simple(
        op,
        (f, r) ->
            Largest.of(
                math, x.in(f), x.at(r), n, values.in(f), values.at(r), ids.in(f), ids.at(r), k));
  }

  /** Makes a side of activations. */
  RowOp side(Tensor x, SideUse use) {
    Place from = memory.place(x);
    int vectors = vectors(x);
    int n = Math.toIntExact(use.length());
    RowOp.Body body =
        (f, r) -> {
          for (int v = 0; v < vectors; v++) {
            long at = from.at(r) + 4L * n * v;
            SideMath.fill(math, use.form(), from.in(f), at, n, r * vectors + v, use.side());
          }
        };
    return new RowOp(
        "side " + use.form(),
        List.of(),
        Frame.Rows.of(x),
        List.of(x),
        List.of(),
        List.of(use.token()),
        List.of(),
        body);
  }

  private static RowOp simple(Op op, RowOp.Body body) {
    return row(op, op.reads(), List.of(), body);
  }

  private static RowOp row(Op op, List<Tensor> reads, List<Tensor> whole, RowOp.Body body) {
    Tensor y = op.writes().getFirst();
    Frame.Rows rows = y.format().equals(WeightFormats.F32) ? rows(y) : Frame.Rows.of(y);
    return new RowOp(op.name(), List.of(op), rows, reads, whole, op.writes(), List.of(), body);
  }

  private static RowOp elementwise(Op op, Tensor a, Tensor b, Tensor y, RowOp.Body body) {
    boolean each = repeat(a, b) == Repeat.EACH;
    return new RowOp(
        op.name(),
        List.of(op),
        rows(y),
        each ? List.of(a, b) : List.of(a),
        each ? List.of() : List.of(b),
        List.of(y),
        List.of(),
        body);
  }

  /** How the second operand of an element-wise operation is repeated. */
  private enum Repeat {
    EACH,
    VECTOR,
    ONE
  }

  private static Repeat repeat(Tensor a, Tensor b) {
    if (b.shape().equals(a.shape())) {
      return Repeat.EACH;
    }
    return b.shape().elements() == 1 ? Repeat.ONE : Repeat.VECTOR;
  }

  private static float first(Place b, Frame f) {
    return b.in(f).get(RowMath.F32, b.at(0));
  }

  private static void rotateAdjacent(
      MemorySegment x,
      long xAt,
      MemorySegment table,
      long tableAt,
      MemorySegment y,
      long yAt,
      int pairs) {
    for (int i = 0; i < pairs; i++) {
      float cos = table.get(RowMath.F32, tableAt + 8L * i);
      float sin = table.get(RowMath.F32, tableAt + 8L * i + 4);
      float u = x.get(RowMath.F32, xAt + 8L * i);
      float v = x.get(RowMath.F32, xAt + 8L * i + 4);
      y.set(RowMath.F32, yAt + 8L * i, u * cos - v * sin);
      y.set(RowMath.F32, yAt + 8L * i + 4, u * sin + v * cos);
    }
  }

  /** One I32 of a vector of indices, checked. */
  static int index(Op op, Frame frame, Place indices, long i, long limit) {
    int value = indices.in(frame).get(RowMath.I32, indices.offset() + 4 * i);
    if (value < 0 || value >= limit) {
      throw new IndexOutOfBoundsException(
          "%s: element %d of %s must be between 0 and %d but is %d"
              .formatted(op.name(), i, op.reads(), limit - 1, value));
    }
    return value;
  }

  /** A vector all of whose elements are live is one row. */
  private static Frame.Rows rows(Tensor tensor) {
    boolean vector = tensor.shape().rank() == 1 && tensor.liveRows() == null;
    return vector ? new Frame.Rows(1, -1) : Frame.Rows.of(tensor);
  }

  private static int length(Tensor tensor) {
    boolean elements = tensor.shape().rank() == 1 && tensor.liveRows() != null;
    return elements ? 1 : Math.toIntExact(tensor.shape().last());
  }

  /** Vectors of the last dimension in a row. */
  private static int vectors(Tensor tensor) {
    return tensor.shape().rank() == 1
        ? 1
        : Math.toIntExact(tensor.shape().rowElements() / tensor.shape().last());
  }
}
