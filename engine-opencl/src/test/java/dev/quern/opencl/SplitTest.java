package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.OpenOptions;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights above the largest allocation compute what they compute in one piece. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SplitTest {
  private static final int LIMIT = 16 << 10;
  private static final int LENGTH = 256;

  private final Arena arena = Arena.ofShared();
  private Backend whole;
  private Backend split;

  @BeforeAll
  void open() {
    Requirements.device();
    whole = new OpenClBackendProvider().open(OpenOptions.defaults());
    split =
        new OpenClBackendProvider()
            .open(
                OpenOptions.defaults()
                    .withSettings(Map.of("opencl.max-alloc", "16KiB", "opencl.memory", "960KiB")));
  }

  @AfterAll
  void close() {
    if (split != null) {
      assertThat(split.statistics().liveBuffers()).isZero();
      split.close();
      whole.close();
    }
    arena.close();
  }

  @Test
  void limitsAreForced() {
    assertThat(split.device().maxAllocationBytes()).isEqualTo(LIMIT);
    assertThat(split.device().memoryBytes()).isEqualTo(960 << 10);
    assertThatThrownBy(() -> split.allocate("large", LIMIT + 1))
        .isInstanceOf(InsufficientMemoryException.class)
        .hasMessageContaining("large of 16640 bytes")
        .hasMessageContaining("--backend opencl+cpu");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void projections(int rows) {
    for (WeightFormat format :
        List.of(WeightFormats.F32, WeightFormats.Q4_K, WeightFormats.Q8_0, WeightFormats.TQ2_0)) {
      same(format, Shape.of(307, LENGTH), (batch, w) -> batch.matmul(input(batch, "x", rows), w));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void partsOfAMatrix(int rows) {
    same(
        WeightFormats.Q8_0,
        Shape.of(300, LENGTH),
        (batch, w) -> {
          Tensor x = input(batch, "x", rows);
          return batch.add(batch.matmul(x, w.rows(1, 143)), batch.matmul(x, w.rows(144, 143)));
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void embeddings(int rows) {
    // The last rows are not live, and one token is outside of the vocabulary.
    same(
        WeightFormats.Q8_0,
        Shape.of(211, LENGTH),
        (batch, w) -> {
          Slot.Count live = batch.count("live", Math.max(1, rows - 1));
          Tensor ids = batch.input("ids", Shape.of(rows), WeightFormats.I32, live);
          return batch.embed(ids, w);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {24, 130})
  void experts(int outputs) {
    // Parts of several matrices of 1.5 KiB, and parts of a matrix of 35 KiB.
    WeightFormat format = outputs == 24 ? WeightFormats.TQ2_0 : WeightFormats.Q8_0;
    int experts = outputs == 24 ? 17 : 3;
    same(
        format,
        Shape.of(experts, outputs, LENGTH),
        (batch, w) -> {
          Tensor x = input(batch, "x", 3);
          Tensor ids = batch.input("ids", Shape.of(3, 2), WeightFormats.I32, null);
          return batch.expertMatmul(x, w, ids);
        });
  }

  @Test
  void readingAndCounting() {
    MemorySegment data = weights(WeightFormats.Q8_0, Shape.of(300, LENGTH));
    Tensor w = split.adopt("w", WeightFormats.Q8_0, Shape.of(300, LENGTH), data);
    assertThat(split.statistics().liveBuffers()).isEqualTo(1);
    Buffer buffer = (Buffer) w.storage();
    byte[] part = new byte[40_000];
    buffer.read(11, MemorySegment.ofArray(part));
    assertThat(MemorySegment.ofArray(part).mismatch(data.asSlice(11, part.length))).isEqualTo(-1);
    assertThatThrownBy(() -> buffer.write(0, MemorySegment.ofArray(part)))
        .isInstanceOf(IllegalStateException.class);
    assertThat(split.statistics().residentBytes()).isBetween(data.byteSize(), 90_000L);
    buffer.close();
    buffer.close();
    assertThat(split.statistics().liveBuffers()).isZero();
    assertThat(split.statistics().residentBytes()).isZero();
  }

  @Test
  void aWeightThatDoesNotFitLeavesNothing() {
    MemorySegment data = weights(WeightFormats.F32, Shape.of(1000, LENGTH));
    assertThatThrownBy(() -> split.adopt("w", WeightFormats.F32, Shape.of(1000, LENGTH), data))
        .isInstanceOf(InsufficientMemoryException.class);
    assertThat(split.statistics().liveBuffers()).isZero();
    assertThat(split.statistics().residentBytes()).isZero();
  }

  private static Tensor input(BatchRecorder batch, String name, int rows) {
    return batch.input(name, Shape.of(rows, LENGTH));
  }

  private void same(
      WeightFormat format, Shape shape, BiFunction<BatchRecorder, Tensor, Tensor> op) {
    MemorySegment data = weights(format, shape);
    assertThat(data.byteSize()).isGreaterThan(LIMIT);
    assertThat(run(split, format, shape, data, op)).isEqualTo(run(whole, format, shape, data, op));
  }

  private static List<Float> run(
      Backend backend,
      WeightFormat format,
      Shape shape,
      MemorySegment data,
      BiFunction<BatchRecorder, Tensor, Tensor> op) {
    Random random = new Random(5);
    Tensor w = backend.adopt("w", format, shape, data);
    BatchRecorder recorder = CommandBatch.record("split");
    Tensor y = recorder.output("y", op.apply(recorder, w));
    CommandBatch batch = recorder.end();
    try (CompiledBatch compiled = backend.compile(batch, CompileOptions.exact());
        Buffer result = backend.allocate("y", y.bytes());
        Buffer input = backend.allocate("in", LIMIT);
        Buffer ids = backend.allocate("ids", 64)) {
      float[] x = new float[LIMIT / 4];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) random.nextGaussian();
      }
      input.write(0, MemorySegment.ofArray(x));
      // Of the first, a middle and the last part, and one that is in none.
      ids.write(0, MemorySegment.ofArray(new int[] {0, 210, 9999, 1, 2, 16, 12, 1}));
      Bindings bindings = batch.bindings().set(y, result);
      batch.inputs().forEach((name, t) -> bindings.set(t, name.equals("x") ? input : ids));
      compiled.submit(bindings).await();
      MemorySegment found = MemorySegment.ofArray(new byte[(int) y.bytes()]);
      result.read(0, found);
      return found
          .elements(ValueLayout.JAVA_FLOAT_UNALIGNED)
          .map(e -> e.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0))
          .toList();
    } finally {
      ((Buffer) w.storage()).close();
    }
  }

  /** Random bytes, the exponents of f16 scales among them kept small. */
  private MemorySegment weights(WeightFormat format, Shape shape) {
    Random random = new Random(7);
    MemorySegment bytes = arena.allocate(format.bytes(shape.elements()), 64);
    for (long i = 0; i < bytes.byteSize(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt() & 0x2F));
    }
    return bytes;
  }
}
