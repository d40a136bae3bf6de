package dev.quern.core;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The operations on plain arrays, for whoever wants the numerics and nothing else. Matrices are
 * stored row by row, weights as {@code [n, k]}: one row for each output.
 *
 * <p>Every call copies its arrays, compiles a batch of one operation, submits it and waits. Code
 * that calls often records a {@link CommandBatch} instead, so that weights are adopted and kernels
 * are chosen once.
 *
 * <p>Accuracy is that of the operation under the precision. Thread-safe, as the backend is.
 *
 * @param backend what computes; stays open
 * @param precision how much rounding the backend may add
 */
public record ArrayMath(Backend backend, Precision precision) {
  /** Exact arithmetic on {@code backend}. */
  public static ArrayMath on(Backend backend) {
    return new ArrayMath(backend, Precision.EXACT);
  }

  /**
   * {@code y[r, i] = Σⱼ x[r, j] · w[i, j]}.
   *
   * <p>Shapes: x {@code [rows, k]}, w {@code [n, k]}, result {@code [rows, n]}.
   *
   * @throws IllegalArgumentException if an extent is below 1 or an array has another length; the
   *     message names the array and both lengths
   */
  public float[] matmul(float[] x, float[] w, int rows, int n, int k) {
    Shape weight = matrix("matmul", n, k);
    length("matmul", "w", w.length, weight.elements());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocateFrom(WeightFormat.F32_BITS, w);
      return project("matmul", x, rows, WeightFormats.F32, weight, bytes);
    }
  }

  /**
   * {@code y[r, i] = Σⱼ x[r, j] · dequant(w)[i, j]} with w in Q4_K blocks, dequantised inside the
   * product.
   *
   * <p>Shapes: x {@code [rows, k]}, w {@code [n, k]} as {@code n · k / 256} blocks of 144 bytes,
   * result {@code [rows, n]}.
   *
   * @throws IllegalArgumentException if k is not a multiple of 256, an extent is below 1 or an
   *     array has another length
   */
  public float[] q4kMatmul(float[] x, byte[] w, int rows, int n, int k) {
    return stored("q4k-matmul", x, w, WeightFormats.Q4_K, rows, n, k);
  }

  /**
   * {@code y[r, i] = Σⱼ x[r, j] · t[i, j] · d} with weights {@code t} in {−1, 0, +1} and one scale
   * a block.
   *
   * <p>Shapes: x {@code [rows, k]}, w {@code [n, k]} in blocks of the format, result {@code [rows,
   * n]}.
   *
   * @param format TQ1_0 or TQ2_0, or any other ternary format
   * @throws IllegalArgumentException if the format is not ternary, k is not a multiple of its
   *     block, an extent is below 1 or an array has another length
   */
  public float[] ternaryMatmul(float[] x, byte[] w, WeightFormat format, int rows, int n, int k) {
    if (format.product() != WeightFormat.Product.TERNARY) {
      throw new IllegalArgumentException(
          "ternary-matmul: format must be ternary but is %s; use TQ1_0 or TQ2_0"
              .formatted(format.name()));
    }
    return stored("ternary-matmul", x, w, format, rows, n, k);
  }

  /**
   * {@code y = x / (1 + e⁻ˣ)}.
   *
   * @throws IllegalArgumentException if x is empty
   */
  public float[] swish(float[] x) {
    return elementwise("swish", List.of(x), (batch, in) -> batch.swish(in.getFirst()));
  }

  /**
   * {@code y = a · b}, element by element.
   *
   * @throws IllegalArgumentException if the lengths differ or are 0
   */
  public float[] mul(float[] a, float[] b) {
    length("mul", "b", b.length, a.length);
    return elementwise("mul", List.of(a, b), (batch, in) -> batch.mul(in.getFirst(), in.getLast()));
  }

  private float[] stored(
      String name, float[] x, byte[] w, WeightFormat format, int rows, int n, int k) {
    Shape weight = matrix(name, n, k);
    if (k % format.blockElements() != 0) {
      throw new IllegalArgumentException(
          "%s: k must be a multiple of the %d elements of a %s block but is %d"
              .formatted(name, format.blockElements(), format.name(), k));
    }
    length(name, "w", w.length, format.bytes(weight.elements()));
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, w);
      return project(name, x, rows, format, weight, bytes);
    }
  }

  private float[] project(
      String name, float[] x, int rows, WeightFormat format, Shape weight, MemorySegment bytes) {
    Shape input = matrix(name, rows, Math.toIntExact(weight.last()));
    length(name, "x", x.length, input.elements());
    Tensor w = backend.adopt("w", format, weight, bytes);
    try (Buffer _ = (Buffer) w.storage()) {
      return run(name, List.of(x), input, (batch, in) -> batch.matmul(in.getFirst(), w));
    }
  }

  private float[] elementwise(
      String name, List<float[]> arrays, BiFunction<BatchRecorder, List<Tensor>, Tensor> op) {
    return run(name, arrays, matrix(name, 1, arrays.getFirst().length), op);
  }

  /** Runs one operation on arrays of the same shape. */
  private float[] run(
      String name,
      List<float[]> arrays,
      Shape shape,
      BiFunction<BatchRecorder, List<Tensor>, Tensor> op) {
    BatchRecorder recorder = CommandBatch.record(name);
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < arrays.size(); i++) {
      inputs.add(recorder.input("in" + i, shape));
    }
    Tensor output = recorder.output("out", op.apply(recorder, inputs));
    List<Buffer> buffers = new ArrayList<>();
    try (CompiledBatch compiled = backend.compile(recorder.end(), CompileOptions.of(precision))) {
      Bindings bindings = compiled.batch().bindings();
      for (int i = 0; i < arrays.size(); i++) {
        Buffer buffer = bound(inputs.get(i), bindings, buffers);
        buffer.write(0, littleEndian(arrays.get(i)));
      }
      Buffer result = bound(output, bindings, buffers);
      compiled.submit(bindings).await();
      MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(output.bytes())]);
      result.read(0, bytes);
      return bytes.toArray(WeightFormat.F32_BITS);
    } finally {
      buffers.forEach(Buffer::close);
    }
  }

  private Buffer bound(Tensor tensor, Bindings bindings, List<Buffer> buffers) {
    Buffer buffer = backend.allocate(tensor.name(), tensor.bytes());
    buffers.add(buffer);
    bindings.set(tensor, buffer);
    return buffer;
  }

  private static MemorySegment littleEndian(float[] values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(4, values.length)]);
    MemorySegment.copy(values, 0, bytes, WeightFormat.F32_BITS, 0, values.length);
    return bytes;
  }

  private static Shape matrix(String name, int rows, int columns) {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "%s: extents must be at least 1 but are %d and %d".formatted(name, rows, columns));
    }
    return Shape.of(rows, columns);
  }

  private static void length(String name, String array, long actual, long expected) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "%s: length of %s must be %d but is %d".formatted(name, array, expected, actual));
    }
  }
}
