package dev.quern.core.reference;

import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Mul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Pointwise;
import dev.quern.core.op.Projection;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TopK;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * The meaning of every operation, written to be read: scalar, in double precision, results rounded
 * once to float32. Other backends are compared with it, and run through it what they have no kernel
 * for.
 */
public final class ReferenceOps {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Function<Storage, MemorySegment> memory;
  private final ToIntFunction<Tensor> live;

  private ReferenceOps(Function<Storage, MemorySegment> memory, ToIntFunction<Tensor> live) {
    this.memory = memory;
    this.live = live;
  }

  /**
   * Runs one operation.
   *
   * @param memory the host bytes of each storage that the operation touches
   * @param liveRows how many rows of a tensor are live
   */
  public static void run(
      Op op, Function<Storage, MemorySegment> memory, ToIntFunction<Tensor> liveRows) {
    ReferenceOps ops = new ReferenceOps(memory, liveRows);
    switch (op) {
      case Projection o -> ops.projection(o);
      case ExpertMatMul o -> ops.expertMatMul(o);
      case ExpertSum o -> ops.expertSum(o);
      case Swish o -> ops.swish(o);
      case Pointwise o -> ops.pointwise(o);
      case Mul o -> ops.elementwise(o.a(), o.b(), o.y(), (a, b) -> a * b);
      case Add o -> ops.elementwise(o.a(), o.b(), o.y(), Double::sum);
      case Softmax o -> ops.softmax(o);
      case RmsNorm o -> ops.rmsNorm(o);
      case Rope o -> ops.rope(o);
      case KvAppend o -> ops.kvAppend(o);
      case Attention o -> ops.attention(o);
      case Embed o -> ops.embed(o);
      case GatherRows o -> ops.gatherRows(o);
      case ArgMax o -> ops.argMax(o);
      case TopK o -> ops.topK(o);
    }
  }

  private void projection(Projection op) {
    int rows = live.applyAsInt(op.x());
    float[][] x = new float[rows][];
    for (int r = 0; r < rows; r++) {
      x[r] = row(op.x(), r);
    }
    for (int n = 0; n < op.w().shape().rows(); n++) {
      float[] w = row(op.w(), n);
      for (int r = 0; r < rows; r++) {
        set(op.y(), r * op.y().shape().last() + n, dot(x[r], 0, w));
      }
    }
  }

  private void expertMatMul(ExpertMatMul op) {
    int used = (int) op.ids().shape().last();
    long outputs = op.w().shape().dim(1);
    int length = (int) op.x().shape().last();
    boolean shared = op.x().shape().rank() == 2;
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      float[] x = row(op.x(), r);
      for (int j = 0; j < used; j++) {
        int expert = index(op, op.ids(), (long) r * used + j, op.w().shape().rows());
        for (int n = 0; n < outputs; n++) {
          float[] w = decode(op.w(), (expert * outputs + n) * length, length);
          set(op.y(), ((long) r * used + j) * outputs + n, dot(x, shared ? 0 : j * length, w));
        }
      }
    }
  }

  private void expertSum(ExpertSum op) {
    int used = (int) op.x().shape().dim(1);
    int length = (int) op.y().shape().last();
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      float[] x = row(op.x(), r);
      float[] weights = row(op.weights(), r);
      for (int n = 0; n < length; n++) {
        double sum = 0;
        for (int j = 0; j < used; j++) {
          sum += (double) weights[j] * x[j * length + n];
        }
        set(op.y(), (long) r * length + n, sum);
      }
    }
  }

  private void swish(Swish op) {
    long elements = live.applyAsInt(op.x()) * op.x().shape().rowElements();
    for (long i = 0; i < elements; i++) {
      double x = get(op.x(), i);
      set(op.y(), i, x / (1 + Math.exp(-x)));
    }
  }

  private void pointwise(Pointwise op) {
    DoubleUnaryOperator function =
        switch (op.function()) {
          case Pointwise.Function.Gelu gelu -> ReferenceOps::gelu;
          case Pointwise.Function.SoftCap(float cap) -> x -> cap * Math.tanh(x / cap);
          case Pointwise.Function.Clamp(float low, float high) -> x -> Math.clamp(x, low, high);
        };
    long elements = live.applyAsInt(op.x()) * op.x().shape().rowElements();
    for (long i = 0; i < elements; i++) {
      set(op.y(), i, function.applyAsDouble(get(op.x(), i)));
    }
  }

  private static double gelu(double x) {
    return x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  private void elementwise(Tensor a, Tensor b, Tensor y, DoubleBinaryOperator operator) {
    long elements = live.applyAsInt(a) * a.shape().rowElements();
    long repeat = b.shape().equals(a.shape()) ? Long.MAX_VALUE : b.shape().elements();
    for (long i = 0; i < elements; i++) {
      set(y, i, operator.applyAsDouble(get(a, i), get(b, i % repeat)));
    }
  }

  private void softmax(Softmax op) {
    int length = (int) op.x().shape().last();
    long rows = live.applyAsInt(op.x()) * op.x().shape().rowElements() / length;
    for (long r = 0; r < rows; r++) {
      double[] p = new double[length];
      for (int i = 0; i < length; i++) {
        p[i] = get(op.x(), r * length + i);
      }
      normalise(p, length, Double.NEGATIVE_INFINITY);
      for (int i = 0; i < length; i++) {
        set(op.y(), r * length + i, p[i]);
      }
    }
  }

  private void rmsNorm(RmsNorm op) {
    int length = (int) op.x().shape().last();
    long rows = live.applyAsInt(op.x()) * op.x().shape().rowElements() / length;
    for (long r = 0; r < rows; r++) {
      double squares = 0;
      for (int i = 0; i < length; i++) {
        double x = get(op.x(), r * length + i);
        squares += x * x;
      }
      double factor = 1 / Math.sqrt(squares / length + op.epsilon());
      for (int i = 0; i < length; i++) {
        set(op.y(), r * length + i, get(op.x(), r * length + i) * factor * get(op.weight(), i));
      }
    }
  }

  private void rope(Rope op) {
    int heads = (int) op.x().shape().dim(1);
    int size = (int) op.x().shape().last();
    int pairs = (int) op.table().shape().dim(1);
    boolean halves = op.pairing() == Rope.Pairing.HALVES;
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      int position = index(op, op.positions(), r, op.table().shape().rows());
      for (int h = 0; h < heads; h++) {
        long head = ((long) r * heads + h) * size;
        for (int i = 0; i < pairs; i++) {
          long u = head + (halves ? i : 2 * i);
          long v = head + (halves ? i + pairs : 2 * i + 1);
          double cos = get(op.table(), 2L * ((long) position * pairs + i));
          double sin = get(op.table(), 2L * ((long) position * pairs + i) + 1);
          double a = get(op.x(), u);
          double b = get(op.x(), v);
          set(op.y(), u, a * cos - b * sin);
          set(op.y(), v, a * sin + b * cos);
        }
        for (int i = 2 * pairs; i < size; i++) {
          set(op.y(), head + i, get(op.x(), head + i));
        }
      }
    }
  }

  private void kvAppend(KvAppend op) {
    long length = op.x().shape().rowElements();
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      long place = length * place(op, op.cache(), op.sequences(), op.positions(), r);
      for (int i = 0; i < length; i++) {
        float x = (float) get(op.x(), r * length + i);
        if (op.cache().format().equals(WeightFormats.F32)) {
          set(op.cache(), place + i, x);
        } else {
          memory(op.cache())
              .set(
                  WeightFormat.F16_BITS,
                  byteOffset(op.cache(), place + i),
                  Float.floatToFloat16(x));
        }
      }
    }
  }

  private void attention(Attention op) {
    int heads = (int) op.q().shape().dim(1);
    int size = (int) op.q().shape().last();
    int kvHeads = (int) op.keys().shape().dim(2);
    for (int r = 0; r < live.applyAsInt(op.q()); r++) {
      int position = (int) get(op.positions(), r);
      long last = place(op, op.keys(), op.sequences(), op.positions(), r);
      int window = op.rule().window();
      int seen = window == 0 ? position + 1 : Math.min(window, position + 1);
      float[] q = row(op.q(), r);
      for (int h = 0; h < heads; h++) {
        int group = h * kvHeads / heads;
        double[] p = new double[seen];
        for (int j = 0; j < seen; j++) {
          long key = ((last - seen + 1 + j) * kvHeads + group) * size;
          p[j] = score(op.rule(), dot(q, h * size, decode(op.keys(), key, size)));
        }
        normalise(p, seen, op.sinks() == null ? Double.NEGATIVE_INFINITY : get(op.sinks(), h));
        double[] sum = new double[size];
        for (int j = 0; j < seen; j++) {
          float[] value =
              decode(op.values(), ((last - seen + 1 + j) * kvHeads + group) * size, size);
          for (int i = 0; i < size; i++) {
            sum[i] += p[j] * value[i];
          }
        }
        for (int i = 0; i < size; i++) {
          set(op.y(), ((long) r * heads + h) * size + i, sum[i]);
        }
      }
    }
  }

  private static double score(Attention.Rule rule, double product) {
    double score = product * rule.scale();
    return rule.softCap() == 0 ? score : rule.softCap() * Math.tanh(score / rule.softCap());
  }

  private void embed(Embed op) {
    int length = (int) op.y().shape().last();
    for (int r = 0; r < live.applyAsInt(op.y()); r++) {
      float[] vector = row(op.table(), index(op, op.tokens(), r, op.table().shape().rows()));
      for (int i = 0; i < length; i++) {
        set(op.y(), (long) r * length + i, vector[i]);
      }
    }
  }

  private void gatherRows(GatherRows op) {
    long length = op.x().shape().last();
    for (int m = 0; m < live.applyAsInt(op.y()); m++) {
      int row = index(op, op.indices(), m, op.x().shape().rows());
      for (int i = 0; i < length; i++) {
        set(op.y(), m * length + i, get(op.x(), row * length + i));
      }
    }
  }

  private void argMax(ArgMax op) {
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      float[] x = row(op.x(), r);
      int best = 0;
      for (int i = 1; i < x.length; i++) {
        best = x[i] > x[best] ? i : best;
      }
      setInt(op.y(), r, best);
    }
  }

  private void topK(TopK op) {
    int k = (int) op.values().shape().last();
    for (int r = 0; r < live.applyAsInt(op.x()); r++) {
      float[] x = row(op.x(), r);
      boolean[] taken = new boolean[x.length];
      for (int j = 0; j < k; j++) {
        int best = -1;
        for (int i = 0; i < x.length; i++) {
          best = !taken[i] && (best < 0 || x[i] > x[best]) ? i : best;
        }
        taken[best] = true;
        set(op.values(), (long) r * k + j, x[best]);
        setInt(op.ids(), (long) r * k + j, best);
      }
    }
  }

  /** Turns scores into weights that, with one more score {@code sink}, sum to 1. */
  private static void normalise(double[] p, int length, double sink) {
    double max = sink;
    for (int i = 0; i < length; i++) {
      max = Math.max(max, p[i]);
    }
    double sum = Math.exp(sink - max);
    for (int i = 0; i < length; i++) {
      p[i] = Math.exp(p[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < length; i++) {
      p[i] /= sum;
    }
  }

  private static double dot(float[] x, int from, float[] w) {
    double sum = 0;
    for (int k = 0; k < w.length; k++) {
      sum += (double) x[from + k] * w[k];
    }
    return sum;
  }

  /** The number of a row's place in the cache, counted over all sequences. */
  private long place(Op op, Tensor cache, Tensor sequences, Tensor positions, int row) {
    long context = cache.shape().dim(1);
    return index(op, sequences, row, cache.shape().rows()) * context
        + index(op, positions, row, context);
  }

  private int index(Op op, Tensor indices, long i, long limit) {
    int value = memory(indices).get(I32, byteOffset(indices, i));
    if (value < 0 || value >= limit) {
      throw new IndexOutOfBoundsException(
          "%s: element %d of %s must be between 0 and %d but is %d"
              .formatted(op.name(), i, indices, limit - 1, value));
    }
    return value;
  }

  private float[] row(Tensor tensor, long row) {
    int length = Math.toIntExact(tensor.shape().rowElements());
    return decode(tensor, row * length, length);
  }

  private float[] decode(Tensor tensor, long element, int count) {
    float[] values = new float[count];
    tensor.format().decode(memory(tensor), byteOffset(tensor, element), values, 0, count);
    return values;
  }

  private double get(Tensor tensor, long element) {
    MemorySegment bytes = memory(tensor);
    long offset = byteOffset(tensor, element);
    return tensor.format().equals(WeightFormats.I32)
        ? bytes.get(I32, offset)
        : bytes.get(F32, offset);
  }

  private void set(Tensor tensor, long element, double value) {
    memory(tensor).set(F32, byteOffset(tensor, element), (float) value);
  }

  private void setInt(Tensor tensor, long element, int value) {
    memory(tensor).set(I32, byteOffset(tensor, element), value);
  }

  private MemorySegment memory(Tensor tensor) {
    return memory.apply(tensor.storage());
  }

  private static long byteOffset(Tensor tensor, long element) {
    return tensor.offset() + tensor.format().bytes(element);
  }
}
