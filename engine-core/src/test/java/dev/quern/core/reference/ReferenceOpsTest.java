package dev.quern.core.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.ArgMax;
import dev.quern.core.op.Attention;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.ExpertSum;
import dev.quern.core.op.GatherRows;
import dev.quern.core.op.KvAppend;
import dev.quern.core.op.Op;
import dev.quern.core.op.RmsNorm;
import dev.quern.core.op.Rope;
import dev.quern.core.op.Softmax;
import dev.quern.core.op.TopK;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The oracle against numbers worked out by hand. */
class ReferenceOpsTest {
  private final Map<Storage, MemorySegment> memory = new HashMap<>();

  private Tensor tensor(WeightFormat format, Shape shape) {
    Slot.Bytes slot = new Slot.Bytes(memory.size(), "t", format.bytes(shape.elements()));
    memory.put(slot, MemorySegment.ofArray(new byte[(int) slot.bytes()]));
    return Tensor.of("t", slot, shape, format);
  }

  private MemorySegment bytes(Tensor tensor) {
    return Objects.requireNonNull(memory.get(tensor.storage()));
  }

  private Tensor f32(Shape shape, double... values) {
    Tensor tensor = tensor(WeightFormats.F32, shape);
    for (int i = 0; i < values.length; i++) {
      bytes(tensor).set(WeightFormat.F32_BITS, 4L * i, (float) values[i]);
    }
    return tensor;
  }

  private Tensor i32(Shape shape, int... values) {
    Tensor tensor = tensor(WeightFormats.I32, shape);
    MemorySegment.copy(values, 0, bytes(tensor), ValueLayout.JAVA_INT_UNALIGNED, 0, values.length);
    return tensor;
  }

  private void run(Op op) {
    ReferenceOps.run(op, s -> Objects.requireNonNull(memory.get(s)), t -> (int) t.shape().rows());
  }

  private void expect(Tensor tensor, double... values) {
    float[] actual = new float[values.length];
    tensor.format().decode(bytes(tensor), 0, actual, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      assertThat((double) actual[i]).as("element %d", i).isCloseTo(values[i], within(1e-6));
    }
  }

  private void expectInts(Tensor tensor, int... values) {
    assertThat(bytes(tensor).toArray(ValueLayout.JAVA_INT_UNALIGNED)).containsExactly(values);
  }

  @Test
  void softmaxAndNorm() {
    Tensor y = f32(Shape.of(1, 3));
    run(new Softmax(f32(Shape.of(1, 3), 0, Math.log(2), Math.log(5)), y));
    expect(y, 1 / 8.0, 2 / 8.0, 5 / 8.0);
    Tensor norm = f32(Shape.of(1, 2));
    run(new RmsNorm(f32(Shape.of(1, 2), 3, 4), f32(Shape.of(2), 1, 10), 0, norm));
    expect(norm, 3 / Math.sqrt(12.5), 40 / Math.sqrt(12.5));
    run(new RmsNorm(f32(Shape.of(1, 2), 3, 4), f32(Shape.of(2), 1, 1), 12.5f, norm));
    expect(norm, 3 / 5.0, 4 / 5.0);
  }

  /** A quarter turn at position 1; the last element is not part of a pair. */
  @Test
  void rope() {
    Tensor table = f32(Shape.of(2, 2, 2), 1, 0, 1, 0, 0, 1, 0, 1);
    Tensor position = i32(Shape.of(1), 1);
    Tensor x = f32(Shape.of(1, 1, 5), 1, 2, 3, 4, 5);
    Tensor y = f32(Shape.of(1, 1, 5));
    run(new Rope(x, position, table, Rope.Pairing.ADJACENT, y));
    expect(y, -2, 1, -4, 3, 5);
    run(new Rope(x, position, table, Rope.Pairing.HALVES, y));
    expect(y, -3, -4, 1, 2, 5);
  }

  @Test
  void kvAppendRoundsToNearestEven() {
    Tensor cache = tensor(WeightFormats.F16, Shape.of(2, 3, 1, 2));
    Tensor x = f32(Shape.of(1, 1, 2), 1 + 1 / 2048.0, 1 + 3 / 2048.0);
    run(new KvAppend(x, i32(Shape.of(1), 1), i32(Shape.of(1), 2), cache));
    expect(cache, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1 + 2 / 1024.0);
    assertThatThrownBy(() -> run(new KvAppend(x, i32(Shape.of(1), 1), i32(Shape.of(1), 3), cache)))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("kv-append")
        .hasMessageContaining("but is 3");
  }

  /**
   * Keys are ln 1, ln 2, ln 3, … and the query is 1, so position j weighs j + 1; values are 10, 20,
   * 30, …
   */
  private double attend(int position, Attention.Rule rule, @Nullable Tensor sinks) {
    Shape shape = Shape.of(2, 4, 1, 1);
    double[] keys = new double[8];
    double[] values = new double[8];
    for (int j = 0; j < 4; j++) {
      keys[4 + j] = Math.log(j + 1);
      values[4 + j] = 10 * (j + 1);
      keys[j] = 99;
      values[j] = -99;
    }
    Tensor y = f32(Shape.of(1, 1, 1));
    Tensor[] t = {
      f32(Shape.of(1, 1, 1), 1),
      f32(shape, keys),
      f32(shape, values),
      i32(Shape.of(1), 1),
      i32(Shape.of(1), position)
    };
    run(new Attention(t[0], t[1], t[2], t[3], t[4], rule, sinks, y));
    return bytes(y).get(WeightFormat.F32_BITS, 0);
  }

  @Test
  void attentionIsCausal() {
    Attention.Rule all = Attention.Rule.causal(1);
    assertThat(attend(0, all, null)).isCloseTo(10, within(1e-5));
    assertThat(attend(1, all, null)).isCloseTo((10 + 2 * 20) / 3.0, within(1e-5));
    assertThat(attend(2, all, null)).isCloseTo((10 + 2 * 20 + 3 * 30) / 6.0, within(1e-5));
  }

  @Test
  void attentionHasWindowScaleCapAndSink() {
    assertThat(attend(2, new Attention.Rule(1, 2, 0), null))
        .isCloseTo((2 * 20 + 3 * 30) / 5.0, within(1e-5));
    assertThat(attend(2, new Attention.Rule(1, 1, 0), null)).isCloseTo(30, within(1e-5));
    assertThat(attend(1, new Attention.Rule(2, 0, 0), null))
        .isCloseTo((10 + 4 * 20) / 5.0, within(1e-5));
    double capped = Math.exp(0.5 * Math.tanh(Math.log(2) / 0.5));
    assertThat(attend(1, new Attention.Rule(1, 0, 0.5f), null))
        .isCloseTo((10 + capped * 20) / (1 + capped), within(1e-5));
    assertThat(attend(1, Attention.Rule.causal(1), f32(Shape.of(1), Math.log(7))))
        .isCloseTo((10 + 2 * 20) / 10.0, within(1e-5));
  }

  /** Heads 0 and 1 share the first cached head, 2 and 3 the second. */
  @Test
  void headsShareCachedHeadsInGroups() {
    Tensor y = f32(Shape.of(1, 4, 1));
    Tensor zero = i32(Shape.of(1), 0);
    Tensor cache = f32(Shape.of(1, 1, 2, 1), 5, 6);
    Tensor q = f32(Shape.of(1, 4, 1), 1, 1, 1, 1);
    run(new Attention(q, cache, cache, zero, zero, Attention.Rule.causal(1), null, y));
    expect(y, 5, 5, 6, 6);
  }

  @Test
  void expertsTakeSharedOrOwnInputs() {
    Tensor w = f32(Shape.of(3, 1, 2), 1, 2, 3, 4, 5, 6);
    Tensor ids = i32(Shape.of(1, 2), 2, 0);
    Tensor y = f32(Shape.of(1, 2, 1));
    run(new ExpertMatMul(f32(Shape.of(1, 2), 1, 10), w, ids, y));
    expect(y, 65, 21);
    run(new ExpertMatMul(f32(Shape.of(1, 2, 2), 1, 10, 10, 1), w, ids, y));
    expect(y, 65, 12);
    Tensor sum = f32(Shape.of(1, 1));
    run(new ExpertSum(y, f32(Shape.of(1, 2), 0.5, 2), sum));
    expect(sum, 56.5);
  }

  @Test
  void selections() {
    Tensor x = f32(Shape.of(2, 4), 1, 7, 7, 3, -1, -2, -1, -5);
    Tensor best = i32(Shape.of(2));
    run(new ArgMax(x, best));
    expectInts(best, 1, 0);
    Tensor values = f32(Shape.of(2, 3));
    Tensor ids = i32(Shape.of(2, 3));
    run(new TopK(x, values, ids));
    expect(values, 7, 7, 3, -1, -1, -2);
    expectInts(ids, 1, 2, 3, 0, 2, 1);
    Tensor y = f32(Shape.of(1, 4));
    run(new GatherRows(x, i32(Shape.of(1), 1), y));
    expect(y, -1, -2, -1, -5);
  }
}
