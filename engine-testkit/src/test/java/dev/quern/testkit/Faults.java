package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.Precision;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Add;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Projection;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.Swish;
import dev.quern.core.op.TopK;
import dev.quern.testkit.PatchedBackend.Step;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/** Backends that are wrong in one way each, and honest ones that round as real backends do. */
final class Faults {
  private Faults() {}

  /** The suite for a backend that runs operations as {@link #run} says. */
  abstract static class Patched extends BackendConformance {
    abstract void run(Step step);

    boolean leaks() {
      return false;
    }

    String refused() {
      return "";
    }

    @Override
    protected Backend open() {
      return new PatchedBackend(this::run, leaks(), refused());
    }
  }

  /** Nothing is wrong. */
  static class Honest extends Patched {
    @Override
    void run(Step step) {
      step.run();
    }
  }

  /** Dot products in float32, one after the other, as a simple kernel has them. */
  static class Float32Sums extends Patched {
    @Override
    void run(Step step) {
      project(step, Rounding.NONE);
    }
  }

  /** Activations rounded to int8 by blocks of 32, where the precision allows it. */
  static class Int8InFast extends Patched {
    @Override
    void run(Step step) {
      if (step.precision() == Precision.FAST) {
        project(step, Rounding.INT8);
      } else {
        step.run();
      }
    }
  }

  /** Activations rounded to int8 in every precision. */
  static class Int8InExact extends Patched {
    @Override
    void run(Step step) {
      project(step, Rounding.INT8);
    }
  }

  /** Activations rounded to f16 in every precision. */
  static class HalfInExact extends Patched {
    @Override
    void run(Step step) {
      project(step, Rounding.HALF);
    }
  }

  /** Weights read as if they were stored column by column. */
  static class TransposedWeight extends Patched {
    @Override
    void run(Step step) {
      if (step.op() instanceof Projection op) {
        int n = (int) op.w().shape().rows();
        int k = (int) op.w().shape().last();
        float[] w = decode(step, op.w());
        float[] transposed = new float[w.length];
        for (int i = 0; i < w.length; i++) {
          transposed[i % n * k + i / n] = w[i];
        }
        multiply(step, op, decode(step, op.x()), transposed);
      } else {
        step.run();
      }
    }
  }

  /** Every row sees the whole context. */
  static class MissingMask extends Patched {
    @Override
    void run(Step step) {
      attend(step, context -> context - 1);
    }
  }

  /** Every row sees the first position only. */
  static class FirstPositionOnly extends Patched {
    @Override
    void run(Step step) {
      attend(step, context -> 0);
    }
  }

  /** Heads take turns with the cached heads instead of sharing them in groups. */
  static class WrongGroups extends Patched {
    @Override
    void run(Step step) {
      step.run();
      if (step.op() instanceof Attention op && op.keys().shape().dim(2) > 1) {
        MemorySegment y = step.bytes(op.y());
        long head = 4 * op.y().shape().last();
        long heads = op.y().shape().dim(1);
        long rows = step.live().applyAsInt(op.y());
        for (long r = 0; r < rows; r++) {
          long row = r * heads * head;
          byte[] second = y.asSlice(row + head, head).toArray(BYTE);
          MemorySegment.copy(y, row + (heads - 1) * head, y, row + head, head);
          MemorySegment.copy(second, 0, y, BYTE, row + (heads - 1) * head, second.length);
        }
      }
    }
  }

  /** The last live row is left out. */
  static class UnwrittenRow extends Patched {
    @Override
    void run(Step step) {
      step.with(t -> Math.max(0, step.live().applyAsInt(t) - 1)).run();
    }
  }

  /** All rows of the capacity are computed. */
  static class DeadRows extends Patched {
    @Override
    void run(Step step) {
      if (step.op() instanceof Swish) {
        step.with(t -> (int) t.shape().rows()).run();
      } else {
        step.run();
      }
    }
  }

  /** One element too many is written. */
  static class OutOfBounds extends Patched {
    @Override
    void run(Step step) {
      step.run();
      if (step.op() instanceof Add op) {
        MemorySegment all = step.memory().apply(op.y().storage());
        long end = op.y().offset() + op.y().bytes();
        if (all.byteSize() >= end + 4) {
          all.set(WeightFormat.F32_BITS, end, 0);
        }
      }
    }
  }

  /** Of equal elements the last one is chosen. */
  static class LastOfTies extends Patched {
    @Override
    void run(Step step) {
      step.run();
      if (step.op() instanceof ArgMax op) {
        last(step, op.x(), op.y(), 1);
      } else if (step.op() instanceof TopK op) {
        last(step, op.x(), op.ids(), op.ids().shape().last());
      }
    }
  }

  /** Every row is rotated by the position of the first. */
  static class OnePosition extends Patched {
    @Override
    void run(Step step) {
      if (step.op() instanceof Rope op) {
        MemorySegment positions = copy(step, op.positions());
        for (long i = 1; i < op.positions().shape().rows(); i++) {
          MemorySegment.copy(positions, op.positions().offset(), positions, at(op, i), 4);
        }
        step.with(op.positions().storage(), positions).run();
      } else {
        step.run();
      }
    }

    private static long at(Rope op, long row) {
      return op.positions().offset() + 4 * row;
    }
  }

  /** Closed batches are counted as alive. */
  static class Leak extends Honest {
    @Override
    boolean leaks() {
      return true;
    }
  }

  /** There is no kernel for softmax, and the support matrix does not say so. */
  static class Undeclared extends Honest {
    @Override
    String refused() {
      return "softmax";
    }
  }

  /** There is no kernel for softmax; it runs through the reference. */
  static class Declared extends Undeclared {
    @Override
    protected SupportMatrix supportMatrix() {
      return new SupportMatrix(Map.of("softmax", "not written yet"));
    }
  }

  /** There is no kernel for softmax, and nothing else runs it. */
  static class DeclaredAndThrown extends Declared {
    @Override
    void run(Step step) {
      if (step.op() instanceof Softmax) {
        throw new BackendException("softmax: no kernel");
      }
      step.run();
    }
  }

  /** An operation that is said to have a kernel throws. */
  static class Thrown extends DeclaredAndThrown {
    @Override
    String refused() {
      return "";
    }

    @Override
    protected SupportMatrix supportMatrix() {
      return SupportMatrix.complete();
    }
  }

  private enum Rounding {
    NONE,
    HALF,
    INT8
  }

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /** Runs a projection with sums in float32 over rounded activations, and the rest as it is. */
  private static void project(Step step, Rounding rounding) {
    if (!(step.op() instanceof Projection op)) {
      step.run();
      return;
    }
    float[] x = decode(step, op.x());
    switch (rounding) {
      case NONE -> {}
      case HALF -> {
        for (int i = 0; i < x.length; i++) {
          x[i] = Float.float16ToFloat(Float.floatToFloat16(x[i]));
        }
      }
      case INT8 -> {
        int k = (int) op.x().shape().last();
        for (int row = 0; row < x.length; row += k) {
          for (int from = row; from < row + k; from += 32) {
            roundToInt8(x, from, Math.min(from + 32, row + k));
          }
        }
      }
    }
    multiply(step, op, x, decode(step, op.w()));
  }

  private static void roundToInt8(float[] x, int from, int to) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(x[i]));
    }
    float scale = largest / 127;
    for (int i = from; i < to && scale > 0; i++) {
      x[i] = Math.round(x[i] / scale) * scale;
    }
  }

  private static void multiply(Step step, Projection op, float[] x, float[] w) {
    int n = (int) op.w().shape().rows();
    int k = (int) op.w().shape().last();
    MemorySegment y = step.bytes(op.y());
    for (int r = 0; r < step.live().applyAsInt(op.x()); r++) {
      for (int i = 0; i < n; i++) {
        float sum = 0;
        for (int j = 0; j < k; j++) {
          sum += x[r * k + j] * w[i * k + j];
        }
        y.set(WeightFormat.F32_BITS, 4L * (r * n + i), sum);
      }
    }
  }

  /** Runs attention with the same position for every row, chosen by the length of the context. */
  private static void attend(Step step, IntUnaryOperator position) {
    if (!(step.op() instanceof Attention op)) {
      step.run();
      return;
    }
    int chosen = position.applyAsInt((int) op.keys().shape().dim(1));
    MemorySegment positions = copy(step, op.positions());
    for (long i = 0; i < op.positions().shape().rows(); i++) {
      Numbers.set(positions.asSlice(op.positions().offset()), WeightFormats.I32, i, chosen);
    }
    step.with(op.positions().storage(), positions).run();
  }

  private static void last(Step step, Tensor x, Tensor ids, long k) {
    float[] values = decode(step, x);
    int n = (int) x.shape().last();
    MemorySegment chosen = step.bytes(ids);
    for (int r = 0; r < step.live().applyAsInt(x); r++) {
      int first = (int) Numbers.get(chosen, WeightFormats.I32, r * k);
      for (int i = first; i < n; i++) {
        if (values[r * n + i] == values[r * n + first]) {
          Numbers.set(chosen, WeightFormats.I32, r * k, i);
        }
      }
    }
  }

  private static MemorySegment copy(Step step, Tensor tensor) {
    MemorySegment source = step.memory().apply(tensor.storage());
    return MemorySegment.ofArray(source.toArray(BYTE));
  }

  private static float[] decode(Step step, Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    MemorySegment all = step.memory().apply(tensor.storage());
    tensor.format().decode(all, tensor.offset(), values, 0, values.length);
    return values;
  }
}
