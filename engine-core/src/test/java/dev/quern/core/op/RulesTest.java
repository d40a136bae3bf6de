package dev.quern.core.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What the constructors of the records refuse, and that they say why. */
class RulesTest {
  private static Tensor f32(String name, long... shape) {
    return tensor(name, WeightFormats.F32, shape);
  }

  private static Tensor i32(String name, long... shape) {
    return tensor(name, WeightFormats.I32, shape);
  }

  private static Tensor tensor(String name, WeightFormat format, long... shape) {
    Shape extents = Shape.of(shape);
    Slot.Bytes slot = new Slot.Bytes(0, name, format.bytes(extents.elements()));
    return Tensor.of(name, slot, extents, format);
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> refused(ThrowingCallable make) {
    return assertThatThrownBy(make).isInstanceOf(IllegalArgumentException.class);
  }

  private static Tensor live(Tensor tensor) {
    return tensor.withLiveRows(new Slot.Count(9, "rows", (int) tensor.shape().rows()));
  }

  @Test
  void projections() {
    Tensor x = f32("x", 2, 8);
    Tensor w = f32("w", 3, 8);
    assertThat(new MatMul(x, w, f32("y", 2, 3)).reads()).containsExactly(x, w);
    refused(() -> new MatMul(x, w, f32("y", 2, 4)))
        .hasMessage("matmul: length of result y[2, 4]:F32 must equal rows of weight w[3, 8]:F32");
    refused(() -> new MatMul(x, f32("w", 3, 9), f32("y", 2, 3)))
        .hasMessage("matmul: columns of weight w[3, 9]:F32 must equal length of input x[2, 8]:F32");
    refused(() -> new MatMul(x, w, f32("y", 1, 3))).hasMessageContaining("rows of y[1, 3]:F32");
    refused(() -> new MatMul(x, live(w), f32("y", 2, 3))).hasMessageContaining("constant");
    refused(() -> new MatMul(i32("x", 2, 8), w, f32("y", 2, 3))).hasMessageContaining("[F32]");
    refused(() -> new DequantMatMul(x, w, f32("y", 2, 3)))
        .hasMessageContaining("must be BLOCK but is DENSE");
    refused(() -> new TernaryMatMul(x, w, f32("y", 2, 3)))
        .hasMessageContaining("must be TERNARY but is DENSE");
  }

  @Test
  void elementwise() {
    Tensor a = f32("a", 2, 3, 4);
    Tensor y = f32("y", 2, 3, 4);
    assertThat(new Mul(a, f32("b", 4), y).writes()).containsExactly(y);
    assertThat(new Add(a, f32("b", 1), y)).isNotNull();
    refused(() -> new Add(a, f32("b", 3), y)).hasMessageContaining("vector of its length");
    refused(() -> new Add(a, f32("b", 3, 4), y)).hasMessageContaining("b[3, 4]:F32");
    refused(() -> new Mul(a, f32("b", 4), f32("y", 2, 3, 5))).hasMessageContaining("shape of y");
    refused(() -> new Mul(live(a), a, live(y))).hasMessageContaining("live rows of a");
    refused(() -> new Swish(a, f32("y", 6, 4))).hasMessageContaining("shape of y[6, 4]:F32");
    refused(() -> new Softmax(a, f32("y", 2))).hasMessageContaining("shape of y");
  }

  @Test
  void norms() {
    Tensor x = f32("x", 2, 4);
    refused(() -> new RmsNorm(x, f32("w", 5), 0, f32("y", 2, 4)))
        .hasMessageContaining("length of weight w[5]:F32");
    refused(() -> new RmsNorm(x, f32("w", 1, 4), 0, f32("y", 2, 4)))
        .hasMessageContaining("1 dimensions");
    refused(() -> new RmsNorm(x, f32("w", 4), -1, f32("y", 2, 4)))
        .hasMessageContaining("epsilon must not be negative but is -1");
  }

  @Test
  void rotations() {
    Tensor x = f32("x", 2, 3, 8);
    Tensor p = i32("p", 2);
    Rope.Pairing pairing = Rope.Pairing.HALVES;
    assertThat(new Rope(x, p, f32("t", 9, 4, 2), pairing, f32("y", 2, 3, 8))).isNotNull();
    refused(() -> new Rope(x, p, f32("t", 9, 5, 2), pairing, f32("y", 2, 3, 8)))
        .hasMessageContaining("at most half as many pairs");
    refused(() -> new Rope(x, p, f32("t", 9, 4, 3), pairing, f32("y", 2, 3, 8)))
        .hasMessageContaining("[context, pairs, 2]");
    refused(() -> new Rope(x, i32("p", 3), f32("t", 9, 4, 2), pairing, f32("y", 2, 3, 8)))
        .hasMessageContaining("rows of p[3]:I32");
    refused(() -> new Rope(f32("x", 2, 8), p, f32("t", 9, 4, 2), pairing, f32("y", 2, 8)))
        .hasMessageContaining("3 dimensions");
  }

  @Test
  void caches() {
    Tensor x = f32("x", 2, 3, 8);
    Tensor i = i32("i", 2);
    assertThat(new KvAppend(x, i, i, tensor("c", WeightFormats.F16, 4, 9, 3, 8)).writes())
        .hasSize(1);
    refused(() -> new KvAppend(x, i, i, f32("c", 4, 9, 2, 8)))
        .hasMessageContaining("with the heads of x[2, 3, 8]:F32");
    refused(() -> new KvAppend(x, i, i, tensor("c", WeightFormats.BF16, 4, 9, 3, 8)))
        .hasMessageContaining("[F32, F16]");
    Tensor k = f32("k", 4, 9, 3, 8);
    Tensor y = f32("y", 2, 3, 8);
    Attention.Rule rule = Attention.Rule.causal(1);
    assertThat(new Attention(x, k, k, i, i, rule, f32("s", 3), y).reads()).hasSize(6);
    refused(() -> new Attention(x, k, k, i, i, rule, f32("s", 4), y))
        .hasMessageContaining("one score for each head");
    refused(() -> new Attention(x, k, f32("v", 4, 9, 3, 4), i, i, rule, f32("s", 3), y))
        .hasMessageContaining("shape of v");
    refused(() -> new Attention.Rule(1, 0, -1)).hasMessageContaining("soft cap");
  }

  @Test
  void lookUps() {
    Tensor ids = i32("ids", 2);
    refused(() -> new Embed(ids, f32("t", 5, 4), f32("y", 2, 3)))
        .hasMessageContaining("columns of table t[5, 4]:F32");
    refused(() -> new GatherRows(f32("x", 5, 4), ids, f32("y", 2, 3)))
        .hasMessageContaining("length of y[2, 3]:F32");
    refused(() -> new ArgMax(f32("x", 2, 4), f32("y", 2))).hasMessageContaining("[I32]");
    refused(() -> new TopK(f32("x", 2, 4), f32("v", 2, 5), i32("i", 2, 5)))
        .hasMessageContaining("must not exceed");
    refused(() -> new TopK(f32("x", 2, 4), f32("v", 2, 3), i32("i", 2, 2)))
        .hasMessageContaining("shape of i");
  }

  @Test
  void experts() {
    Tensor ids = i32("ids", 2, 3);
    Tensor w = f32("w", 5, 7, 8);
    Tensor y = f32("y", 2, 3, 7);
    assertThat(new ExpertMatMul(f32("x", 2, 8), w, ids, y).reads()).hasSize(3);
    assertThat(new ExpertMatMul(f32("x", 2, 3, 8), w, ids, y)).isNotNull();
    refused(() -> new ExpertMatMul(f32("x", 2, 2, 8), w, ids, y))
        .hasMessageContaining("[rows, used, K]");
    refused(() -> new ExpertMatMul(f32("x", 2, 9), w, ids, y))
        .hasMessageContaining("columns of weight w[5, 7, 8]:F32");
    refused(() -> new ExpertMatMul(f32("x", 2, 8), w, ids, f32("y", 2, 3, 8)))
        .hasMessageContaining("[rows, used, N]");
    refused(() -> new ExpertMatMul(f32("x", 2, 8), i32("w", 5, 7, 8), ids, y))
        .hasMessageContaining("weight format");
    refused(() -> new ExpertSum(y, f32("s", 2, 4), f32("z", 2, 7)))
        .hasMessageContaining("must fit y[2, 3, 7]:F32");
  }
}
