package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.BatchRecorder;
import dev.quern.core.CommandBatch;
import dev.quern.core.OpenOptions;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Rope;
import java.lang.foreign.Arena;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which batches are one token of a decoder, and how the kernel for one is built. */
class DecoderOpsTest {
  private static final int HIDDEN = 256;
  private static final int HEAD = 64;
  private static final int CONTEXT = 32;
  private static final float EPSILON = 1e-5f;

  private final Arena arena = Arena.ofShared();
  private OpenClBackend backend;
  private int rows = 1;
  private boolean bias;
  private boolean shown;
  private int window;
  private long heads = 4;
  private WeightFormat up = WeightFormats.Q4_K;
  private long feed = 512;

  @BeforeEach
  void open() {
    Requirements.device();
    backend = (OpenClBackend) new OpenClBackendProvider().open(OpenOptions.defaults());
  }

  @AfterEach
  void close() {
    if (backend != null) {
      backend.close();
    }
    arena.close();
  }

  private Tensor weight(String name, WeightFormat format, long... shape) {
    Shape dimensions = Shape.of(shape);
    return backend.adopt(
        name, format, dimensions, arena.allocate(format.bytes(dimensions.elements()), 64));
  }

  /** Two blocks of some query heads and two heads of the cache, then the most likely token. */
  private CommandBatch record() {
    BatchRecorder b = CommandBatch.record("token");
    Slot.Count live = b.count("rows", rows);
    Tensor tokens = b.input("tokens", Shape.of(rows), WeightFormats.I32, live);
    Tensor positions = b.input("positions", Shape.of(rows), WeightFormats.I32, live);
    Tensor sequences = b.input("sequences", Shape.of(rows), WeightFormats.I32, live);
    Tensor table = weight("rotations", WeightFormats.F32, CONTEXT, HEAD / 2, 2);
    Tensor vocabulary = weight("embedding", WeightFormats.Q6_K, 96, HIDDEN);
    Tensor x = b.embed(tokens, vocabulary);
    for (int layer = 0; layer < 2; layer++) {
      x = block(b, x, layer, new Tensor[] {positions, sequences, table});
    }
    Tensor norm = b.rmsNorm(x, weight("norm", WeightFormats.F32, HIDDEN), EPSILON);
    b.output("next", b.argMax(b.matmul(norm, vocabulary)));
    if (shown) {
      b.output("hidden", norm);
    }
    return b.end();
  }

  private Tensor block(BatchRecorder b, Tensor x, int layer, Tensor[] at) {
    Tensor in = b.rmsNorm(x, weight(layer + "norm", WeightFormats.F32, HIDDEN), EPSILON);
    Tensor query = b.matmul(in, weight(layer + "q", WeightFormats.Q4_K, heads * HEAD, HIDDEN));
    if (bias) {
      query = b.add(query, weight(layer + "bias", WeightFormats.F32, heads * HEAD));
    }
    Tensor q = b.rope(heads(query, heads), at[0], at[2], Rope.Pairing.HALVES);
    Tensor key = b.matmul(in, weight(layer + "k", WeightFormats.Q4_K, 2 * HEAD, HIDDEN));
    Tensor k = b.rope(heads(key, 2), at[0], at[2], Rope.Pairing.HALVES);
    Tensor value = b.matmul(in, weight(layer + "v", WeightFormats.Q6_K, 2 * HEAD, HIDDEN));
    Tensor keys = cache(layer + "keys");
    Tensor values = cache(layer + "values");
    b.kvAppend(k, at[1], at[0], keys);
    b.kvAppend(heads(value, 2), at[1], at[0], values);
    Tensor seen = b.temporary("seen", q.shape(), q.format(), q.liveRows());
    Attention.Rule rule = new Attention.Rule(0.125f, window, 0);
    b.add(new Attention(q, keys, values, at[1], at[0], rule, null, seen));
    Tensor flat = seen.reshape(Shape.of(rows, heads * HEAD));
    Tensor out = b.matmul(flat, weight(layer + "o", WeightFormats.Q4_K, HIDDEN, heads * HEAD));
    Tensor after = b.add(x, out);
    Tensor fed = b.rmsNorm(after, weight(layer + "norm2", WeightFormats.F32, HIDDEN), EPSILON);
    Tensor gate = b.matmul(fed, weight(layer + "gate", WeightFormats.Q4_K, feed, HIDDEN));
    Tensor joint = b.mul(b.swish(gate), b.matmul(fed, weight(layer + "up", up, feed, HIDDEN)));
    return b.add(after, b.matmul(joint, weight(layer + "down", WeightFormats.Q6_K, HIDDEN, feed)));
  }

  private Tensor heads(Tensor x, long count) {
    return x.reshape(Shape.of(rows, count, HEAD));
  }

  private Tensor cache(String name) {
    Shape shape = Shape.of(3, CONTEXT, 2, HEAD);
    long bytes = WeightFormats.F16.bytes(shape.elements());
    return Tensor.of(name, backend.allocate(name, bytes), shape, WeightFormats.F16);
  }

  private DecoderShape shape() {
    DecoderOps.Found found = DecoderOps.in(record());
    assertThat(found).isInstanceOf(DecoderOps.Found.Yes.class);
    return new DecoderShape(((DecoderOps.Found.Yes) found).ops(), 132, 2900);
  }

  private String reason() {
    DecoderOps.Found found = DecoderOps.in(record());
    assertThat(found).isInstanceOf(DecoderOps.Found.No.class);
    return ((DecoderOps.Found.No) found).reason();
  }

  @Test
  void aTokenOfADecoderIsFoundToItsEnd() {
    CommandBatch batch = record();
    DecoderOps ops = ((DecoderOps.Found.Yes) DecoderOps.in(batch)).ops();
    assertThat(ops.count()).isEqualTo(batch.ops().size());
    assertThat(ops.blocks()).hasSize(2);
    assertThat(ops.result()).isEqualTo(batch.outputs().get("next"));
    assertThat(shape().refusal()).isEmpty();
  }

  @Test
  void theKernelIsBuiltForItsSizes() {
    DecoderShape shape = shape();
    Map<String, String> macros = shape.macros();
    assertThat(macros)
        .containsEntry("FORMATS(X)", "X(0, q4_k) X(1, q6_k)")
        .containsEntry("KV_HEADS", "2")
        .containsEntry("ROPE_HALVES", "1")
        .containsEntry("GREEDY", "1")
        .containsEntry("EMBEDDING", "q6_k")
        .containsEntry("SCALE", "as_float(0x3e000000u)");
    assertThat(ProgramText.decoder(shape))
        .contains("kernel __attribute__", "q6_k_element", "q4_k_dot")
        .doesNotContain("#include");
    assertThat(shape.table()).hasSize(3);
    assertThat(shape.formatsOf(shape.table().getFirst())).isEqualTo(0x01_00_00_01_00_00L);
    assertThat(shape.offset("TABLE")).isEqualTo(1024);
    assertThat(shape.stateBytes()).isGreaterThan(shape.offset("TOPS"));
  }

  @Test
  void weightsStayInTheOrderOfTheFileUntilTheKernelIsMade() {
    long before = backend.statistics().residentBytes();
    DecoderShape shape = shape();
    long adopted = backend.statistics().residentBytes();
    shape.table();
    assertThat(adopted).isGreaterThan(before);
    assertThat(backend.statistics().residentBytes()).isEqualTo(adopted);
  }

  @Test
  void whatIsNoTokenOfADecoderSaysWhy() {
    rows = 4;
    assertThat(reason()).isEqualTo("a batch of 4 rows is not one token");
    rows = 1;
    bias = true;
    assertThat(reason()).contains("must be a Rope but is add");
    bias = false;
    shown = true;
    assertThat(reason()).contains("is an output of the batch");
  }

  @Test
  void whatTheKernelCannotDoSaysWhy() {
    window = 8;
    assertThat(shape().refusal()).contains("a window");
    window = 0;
    up = WeightFormats.Q6_K;
    assertThat(shape().refusal()).isEqualTo("gate and up differ in format");
    up = WeightFormats.Q4_K;
    heads = 20;
    assertThat(shape().refusal())
        .isEqualTo("10 query heads share a head of the cache, more than 8");
    heads = 4;
    assertThat(new DecoderShape(shape().ops(), 1, 2900).refusal())
        .contains("1 compute units for 2");
    assertThat(new DecoderShape(shape().ops(), 132, 300).refusal()).contains("local memory");
  }
}
