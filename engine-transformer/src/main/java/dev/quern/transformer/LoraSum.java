package dev.quern.transformer;

import dev.quern.core.format.WeightFormats;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A stored weight and what adapters add to it, row by row.
 *
 * @param stored {@code [rows, in]}, or {@code [experts, rows, in]}
 * @param parts of the adapters that change it
 */
record LoraSum(ModelSource.Weight stored, List<Part> parts) {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** {@code scale · B·A}. */
  record Part(Lora.Factors factors, float scale) {}

  static LoraSum of(ModelSource.Weight stored, List<Lora.Weighted> adapters) {
    String projection = stored.name().replaceAll("\\.weight$", "");
    List<Part> parts = new ArrayList<>();
    for (Lora.Weighted adapter : adapters) {
      Lora.Factors factors = adapter.lora().factors().get(projection);
      if (factors != null) {
        parts.add(new Part(factors, adapter.weight() * factors.scale()));
      }
    }
    return new LoraSum(stored, parts);
  }

  boolean isEmpty() {
    return parts.isEmpty();
  }

  /** Receives a row; the array is used again. */
  private interface Sink {
    void row(long index, float[] row) throws IOException;
  }

  private void rows(Sink sink) throws IOException {
    int in = (int) stored.shape().last();
    long rows = stored.shape().elements() / in;
    long rowsOfOne = stored.shape().dim(stored.shape().rank() - 2);
    float[] row = new float[in];
    double[] sum = new double[in];
    List<float[]> a = List.of();
    for (long r = 0; r < rows; r++) {
      if (r % rowsOfOne == 0) {
        long expert = r / rowsOfOne;
        a = parts.stream().map(part -> matrixA(part, expert, in)).toList();
      }
      decode(stored, r * in, row);
      for (int i = 0; i < in; i++) {
        sum[i] = row[i];
      }
      for (int p = 0; p < parts.size(); p++) {
        add(parts.get(p), a.get(p), r, sum);
      }
      for (int i = 0; i < in; i++) {
        row[i] = (float) sum[i];
      }
      sink.row(r, row);
    }
  }

  private static float[] matrixA(Part part, long expert, int in) {
    int rank = part.factors.rank();
    float[] a = new float[rank * in];
    decode(part.factors.a(), expert * rank * in, a);
    return a;
  }

  private static void add(Part part, float[] a, long r, double[] sum) {
    int rank = part.factors.rank();
    float[] b = new float[rank];
    decode(part.factors.b(), r * rank, b);
    for (int k = 0; k < rank; k++) {
      double factor = (double) part.scale * b[k];
      for (int i = 0; i < sum.length; i++) {
        sum[i] += factor * a[k * sum.length + i];
      }
    }
  }

  /** All rows as one F32 weight. */
  ModelSource.Weight merged(Arena arena) {
    int in = (int) stored.shape().last();
    MemorySegment data = arena.allocate(F32.byteSize() * stored.shape().elements(), 64);
    try {
      rows((r, row) -> MemorySegment.copy(row, 0, data, F32, F32.byteSize() * r * in, row.length));
    } catch (IOException e) {
      throw new IllegalStateException("copying in memory reads and writes no file", e);
    }
    return new ModelSource.Weight(stored.name(), stored.shape(), WeightFormats.F32, data);
  }

  /** Writes all rows as F32. */
  void writeTo(OutputStream out) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * (int) stored.shape().last())
            .order(ByteOrder.LITTLE_ENDIAN);
    rows((r, row) -> {
      bytes.clear().asFloatBuffer().put(row);
      out.write(bytes.array());
    });
  }

  private static void decode(ModelSource.Weight weight, long element, float[] target) {
    weight.format().decode(weight.data(), weight.format().bytes(element), target, 0, target.length);
  }
}
