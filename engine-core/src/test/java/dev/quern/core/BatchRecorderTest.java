package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.DequantMatMul;
import dev.quern.core.op.MatMul;
import dev.quern.core.op.TernaryMatMul;
import org.junit.jupiter.api.Test;

class BatchRecorderTest {
  private final BatchRecorder recorder = CommandBatch.record("test");

  private static Tensor weight(String name, WeightFormat format, long... shape) {
    Shape extents = Shape.of(shape);
    Slot.Bytes storage = new Slot.Bytes(999, name, format.bytes(extents.elements()));
    return Tensor.of(name, storage, extents, format);
  }

  @Test
  void theFormatOfTheWeightChoosesTheProjection() {
    Tensor x = recorder.input("x", Shape.of(2, 256));
    recorder.matmul(x, weight("dense", WeightFormats.BF16, 3, 256));
    recorder.matmul(x, weight("block", WeightFormats.Q6_K, 3, 256));
    recorder.matmul(x, weight("ternary", WeightFormats.TQ1_0, 3, 256));
    assertThat(recorder.end().ops())
        .hasExactlyElementsOfTypes(MatMul.class, DequantMatMul.class, TernaryMatMul.class);
    assertThatThrownBy(() -> recorder.matmul(x, weight("ids", WeightFormats.I32, 3, 256)))
        .hasMessageContaining("must be in a weight format but is ids[3, 256]:I32");
  }

  @Test
  void shapeErrorsNameBothTensors() {
    Tensor x = recorder.input("x", Shape.of(1, 512));
    Tensor w = weight("blk.3.ffn_up", WeightFormats.Q4_K, 8, 256);
    assertThatThrownBy(() -> recorder.matmul(x, w))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("blk.3.ffn_up[8, 256]:Q4_K")
        .hasMessageContaining("x[1, 512]:F32");
  }

  @Test
  void liveRowsMustComeFromTheSameSlot() {
    Slot.Count rows = recorder.count("rows", 4);
    Slot.Count others = recorder.count("others", 4);
    Tensor a = recorder.input("a", Shape.of(4, 8), WeightFormats.F32, rows);
    Tensor b = recorder.input("b", Shape.of(4, 8), WeightFormats.F32, others);
    assertThatThrownBy(() -> recorder.mul(a, b)).hasMessageContaining("live rows");
    assertThat(recorder.swish(a).liveRows()).isEqualTo(rows);
    assertThat(recorder.argMax(a).liveRows()).isEqualTo(rows);
    assertThat(recorder.topK(a, 3).ids().liveRows()).isEqualTo(rows);
  }

  @Test
  void slotsAreNumberedInOrder() {
    Slot.Count count = recorder.count("rows", 4);
    Tensor x = recorder.input("x", Shape.of(4, 8), WeightFormats.F32, count);
    Tensor y = recorder.swish(x);
    recorder.output("y", y);
    CommandBatch batch = recorder.end();
    for (int i = 0; i < batch.slots().size(); i++) {
      assertThat(batch.slots().get(i).id()).isEqualTo(i);
    }
    assertThat(batch.inputs()).containsOnlyKeys("x");
    assertThat(batch.outputs()).containsOnlyKeys("y");
    assertThat(batch.tensor("y")).isEqualTo(y);
    assertThat(batch.bound()).hasSize(2);
    assertThatThrownBy(() -> batch.tensor("z"))
        .hasMessageContaining("[x]")
        .hasMessageContaining("but is z");
  }

  @Test
  void namesAreTakenOnce() {
    Tensor x = recorder.input("x", Shape.of(4));
    assertThatThrownBy(() -> recorder.input("x", Shape.of(4))).hasMessageContaining("x is taken");
    assertThatThrownBy(() -> recorder.output("x", recorder.swish(x)))
        .hasMessageContaining("x is taken");
  }

  @Test
  void onlyWholeResultsAreOutputs() {
    Tensor x = recorder.input("x", Shape.of(4, 8));
    Tensor y = recorder.swish(x);
    assertThatThrownBy(() -> recorder.output("y", x)).hasMessageContaining("whole result");
    assertThatThrownBy(() -> recorder.output("y", y.rows(0, 2)))
        .hasMessageContaining("whole result");
    assertThat(recorder.output("y", y.reshape(Shape.of(32)))).isNotNull();
  }

  @Test
  void expertsAndAttentionHaveTheShapesOfTheirRules() {
    Tensor x = recorder.input("x", Shape.of(3, 8));
    Tensor ids = recorder.input("ids", Shape.of(3, 2), WeightFormats.I32, null);
    Tensor experts = weight("experts", WeightFormats.F32, 5, 7, 8);
    Tensor chosen = recorder.expertMatmul(x, experts, ids);
    assertThat(chosen.shape()).isEqualTo(Shape.of(3, 2, 7));
    Tensor weights = recorder.input("weights", Shape.of(3, 2));
    assertThat(recorder.expertSum(chosen, weights).shape()).isEqualTo(Shape.of(3, 7));
    Tensor q = recorder.input("q", Shape.of(3, 4, 16));
    Tensor rows = recorder.input("rows", Shape.of(3), WeightFormats.I32, null);
    Tensor cache = weight("cache", WeightFormats.F16, 2, 10, 2, 16);
    Attention.Rule rule = Attention.Rule.causal(0.25f);
    assertThat(recorder.attention(q, cache, cache, rows, rows, rule).shape()).isEqualTo(q.shape());
    Tensor odd = weight("odd", WeightFormats.F16, 2, 10, 3, 16);
    assertThatThrownBy(() -> recorder.attention(q, odd, odd, rows, rows, rule))
        .hasMessageContaining("multiple of, the cached heads of odd");
    Tensor single = weight("single", WeightFormats.F32, 2, 10, 2, 16);
    assertThatThrownBy(() -> recorder.attention(q, cache, single, rows, rows, rule))
        .hasMessageContaining("format of single");
    assertThatThrownBy(() -> new Attention.Rule(1, -1, 0)).hasMessageContaining("window");
  }
}
