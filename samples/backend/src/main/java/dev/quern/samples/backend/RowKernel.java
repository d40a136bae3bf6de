package dev.quern.samples.backend;

import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.op.DequantMatMul;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/** {@code y[r, n] = Σₖ x[r, k] · w[n, k]}: decodes a row of w once and uses it for every row of x. */
final class RowKernel {
  private RowKernel() {}

  static void run(DequantMatMul op, Function<Storage, MemorySegment> memory, int rows) {
    int length = Math.toIntExact(op.w().shape().last());
    int outputs = Math.toIntExact(op.w().shape().rows());
    WeightFormat format = op.w().format();
    MemorySegment weights = memory.apply(op.w().storage());
    MemorySegment x = bytes(op.x(), memory);
    MemorySegment y = bytes(op.y(), memory);
    float[] row = new float[length];
    for (int n = 0; n < outputs; n++) {
      format.decode(weights, op.w().offset() + n * format.bytes(length), row, 0, length);
      for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int k = 0; k < length; k++) {
          sum += (double) x.get(WeightFormat.F32_BITS, 4L * ((long) r * length + k)) * row[k];
        }
        y.set(WeightFormat.F32_BITS, 4L * ((long) r * outputs + n), (float) sum);
      }
    }
  }

  private static MemorySegment bytes(Tensor tensor, Function<Storage, MemorySegment> memory) {
    return memory.apply(tensor.storage()).asSlice(tensor.offset(), tensor.bytes());
  }
}
