package dev.quern.core.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class CostTest {
  private final BatchRecorder recorder = CommandBatch.record("cost");
  private final Slot.Count rows = recorder.count("rows", 8);

  private Cost last(long live, long depth) {
    Op op = recorder.end().ops().getLast();
    return Cost.of(op, live, depth);
  }

  private long weightBytes() {
    return Cost.weightBytes(recorder.end().ops().getLast());
  }

  private Tensor input(String name, WeightFormat format, long... dims) {
    return recorder.input(name, Shape.of(dims), format, rows);
  }

  private static Tensor constant(String name, WeightFormat format, long... dims) {
    Shape shape = Shape.of(dims);
    return Tensor.of(name, new Held(name, format.bytes(shape.elements())), shape, format);
  }

  /** Bytes that are there in name only. */
  private record Held(String name, long bytes) implements Buffer {
    @Override
    public void write(long offset, MemorySegment source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void read(long offset, MemorySegment target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }

  @Test
  void aProductReadsItsWeightOnceForAllLiveRows() {
    Tensor w = constant("w", WeightFormats.Q4_K, 64, 256);
    recorder.matmul(input("x", WeightFormats.F32, 8, 256), w);
    assertThat(last(3, 0)).isEqualTo(new Cost(64 * 144 + 3 * 4 * (256 + 64), 2 * 3 * 64 * 256));
    assertThat(weightBytes()).isEqualTo(64 * 144);
    assertThat(last(100, 0).flops()).as("never beyond the capacity").isEqualTo(2 * 8 * 64 * 256);
  }

  @Test
  void anEmbeddingReadsOnlyItsRows() {
    Tensor table = constant("table", WeightFormats.F16, 1000, 32);
    recorder.embed(input("tokens", WeightFormats.I32, 8), table);
    assertThat(last(2, 0)).isEqualTo(new Cost(2 * (2 * 32 + 4 * 32), 0));
    assertThat(weightBytes()).isZero();
  }

  @Test
  void attentionReadsWhatARowSees() {
    Tensor q = input("q", WeightFormats.F32, 8, 4, 16);
    Tensor cache = constant("keys", WeightFormats.F16, 3, 100, 2, 16);
    Tensor positions = input("positions", WeightFormats.I32, 8);
    recorder.attention(q, cache, cache, positions, positions, new Attention.Rule(1, 0, 0));
    assertThat(last(1, 50)).isEqualTo(new Cost(2 * 4 * 64 + 2 * 50 * 2 * 16 * 2, 4 * 50 * 64));
    recorder.attention(q, cache, cache, positions, positions, new Attention.Rule(1, 10, 0));
    assertThat(last(1, 50).flops()).as("within the window").isEqualTo(4 * 10 * 64);
  }

  @Test
  void onlyChosenExpertsAreRead() {
    Tensor stack = constant("stack", WeightFormats.F32, 16, 8, 32);
    Tensor ids = input("ids", WeightFormats.I32, 8, 2);
    recorder.expertMatmul(input("x", WeightFormats.F32, 8, 32), stack, ids);
    long activations = 4 * (32 + 2 * 8);
    assertThat(last(1, 0)).isEqualTo(new Cost(activations + 2 * 4 * 8 * 32, 2 * 2 * 8 * 32));
    assertThat(last(8, 0).bytes()).isEqualTo(8 * activations + 16 * 4 * 8 * 32);
    assertThat(weightBytes()).isEqualTo(16 * 4 * 8 * 32);
  }
}
