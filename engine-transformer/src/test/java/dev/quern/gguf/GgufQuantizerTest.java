package dev.quern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.Fixtures;
import dev.quern.core.Shape;
import dev.quern.core.format.Quantizer;
import dev.quern.core.format.Quantizers;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufQuantizerTest {
  /** As ggml's own tool wrote it, but for embeddings, which that keeps in Q6_K beside Q4_0. */
  @ParameterizedTest
  @CsvSource({"Q8_0, fable-7m-q8_0.gguf, 7", "Q4_0, fable-7m-q4_0.gguf, 2"})
  void tensorsEqualThoseOfGgml(String type, String expectedFile, int fileType) throws IOException {
    Path fable = Fixtures.directory().resolve("fable");
    try (GgufFile source = GgufFile.open(fable.resolve("fable-7m-f16.gguf"));
        GgufFile expected = GgufFile.open(fable.resolve(expectedFile));
        GgufFile actual = quantize(source, type)) {
      assertThat(actual.metadata().requireInt("general.file_type")).isEqualTo(fileType);
      assertThat(new TreeMap<>(actual.metadata().values()).toString())
          .isEqualTo(new TreeMap<>(expected.metadata().values()).toString());
      assertThat(actual.tensors()).hasSameSizeAs(expected.tensors());
      int compared = 0;
      for (GgufTensor tensor : expected.tensors()) {
        if (!tensor.format().equals(WeightFormats.Q6_K)) {
          GgufTensor own = actual.require(tensor.name());
          assertThat(own.shape()).isEqualTo(tensor.shape());
          assertThat(own.format()).as(tensor.name()).isEqualTo(tensor.format());
          assertThat(own.segment().mismatch(tensor.segment())).as(tensor.name()).isEqualTo(-1);
          compared++;
        }
      }
      assertThat(compared).isGreaterThan(80);
    }
  }

  @ParameterizedTest
  @CsvSource({"Q8_0, 7", "Q4_0, 2", "TQ1_0, 36", "TQ2_0, 37"})
  void weightsAreRoundedAndTheRestStays(String type, int fileType) throws IOException {
    WeightFormat format = WeightFormats.byName(type).orElseThrow();
    boolean ternary = format.product() == WeightFormat.Product.TERNARY;
    try (GgufFile source = small();
        GgufFile target = quantize(source, type)) {
      Map<String, String> formats = new TreeMap<>();
      target.tensors().forEach(tensor -> formats.put(tensor.name(), tensor.typeName()));
      assertThat(formats)
          .containsExactlyInAnyOrderEntriesOf(
              Map.of(
                  "token_embd.weight",
                  ternary ? "F16" : type,
                  "blk.0.attn_q.weight",
                  type,
                  "blk.0.attn_q.bias",
                  "F32",
                  "blk.0.attn_norm.weight",
                  "F32",
                  "blk.0.ffn_gate_inp.weight",
                  "F32",
                  "blk.0.ffn_up_exps.weight",
                  type,
                  "blk.0.odd.weight",
                  "F16",
                  "output.weight",
                  ternary ? "BF16" : type));
      assertThat(target.metadata().requireInt("general.file_type")).isEqualTo(fileType);
      assertThat(target.metadata().requireInt("general.quantization_version")).isEqualTo(2);
      assertThat(target.metadata().requireString("general.name")).isEqualTo("small");
      assertThat(target.metadata().contains("split.count")).isFalse();
      for (GgufTensor tensor : source.tensors()) {
        GgufTensor written = target.require(tensor.name());
        assertThat(written.shape()).isEqualTo(tensor.shape());
        byte[] expected =
            written.format().equals(format) ? rounded(tensor, format) : bytes(tensor.segment());
        assertThat(bytes(written.segment())).as(tensor.name()).isEqualTo(expected);
      }
    }
  }

  @Test
  void progressEndsAtTheWhole() throws IOException {
    try (GgufFile source = small()) {
      List<Long> steps = new ArrayList<>();
      new GgufQuantizer(Quantizers.Q8_0).quantize(source, new ByteArrayOutputStream(), steps::add);
      assertThat(steps).isSorted();
      assertThat(steps.getLast())
          .isEqualTo(source.tensors().stream().mapToLong(GgufTensor::bytes).sum());
    }
  }

  @Test
  void whatIsRoundedAlreadyIsRefused() throws IOException {
    try (GgufFile source = small();
        GgufFile once = quantize(source, "Q8_0")) {
      assertThatThrownBy(() -> quantize(once, "Q4_0"))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("token_embd.weight[300, 256]:Q8_0")
          .hasMessageContaining("must be F32, F16 or BF16");
    }
  }

  @Test
  void numbersThatAreNotFiniteAreRefused() throws IOException {
    float[] numbers = new float[512];
    numbers[300] = Float.NaN;
    try (GgufFile source = file(List.of(f32("blk.0.a.weight", Shape.of(2, 256), numbers)))) {
      assertThatThrownBy(() -> quantize(source, "Q8_0"))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("blk.0.a.weight")
          .hasMessageContaining("number 300 is NaN");
    }
  }

  @Test
  void activationsAreNoFileFormat() {
    assertThatThrownBy(() -> new GgufQuantizer(Quantizers.Q8_K))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Q8_K");
  }

  private static GgufFile quantize(GgufFile source, String type) throws IOException {
    Quantizer quantizer = Quantizers.of(WeightFormats.byName(type).orElseThrow()).orElseThrow();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new GgufQuantizer(quantizer).quantize(source, out, done -> {});
    return GgufFile.read(new ByteArrayInputStream(out.toByteArray()), type);
  }

  private static byte[] rounded(GgufTensor tensor, WeightFormat format) {
    int count = (int) tensor.shape().elements();
    float[] numbers = new float[count];
    tensor.format().decode(tensor.segment(), 0, numbers, 0, count);
    byte[] bytes = new byte[(int) format.bytes(count)];
    Quantizers.of(format)
        .orElseThrow()
        .quantize(numbers, 0, count, MemorySegment.ofArray(bytes), 0);
    return bytes;
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  /** One tensor of each kind; the embedding is longer than a piece. */
  private static GgufFile small() throws IOException {
    return file(
        List.of(
            halves("token_embd.weight", WeightFormats.F16, Shape.of(300, 256)),
            numbers("blk.0.attn_q.weight", Shape.of(3, 256)),
            numbers("blk.0.attn_q.bias", Shape.of(256)),
            numbers("blk.0.attn_norm.weight", Shape.of(256)),
            numbers("blk.0.ffn_gate_inp.weight", Shape.of(4, 256)),
            numbers("blk.0.ffn_up_exps.weight", Shape.of(4, 2, 512)),
            halves("blk.0.odd.weight", WeightFormats.F16, Shape.of(2, 31)),
            halves("output.weight", WeightFormats.BF16, Shape.of(5, 256))));
  }

  private static GgufFile file(List<GgufWriter.Source> tensors) throws IOException {
    GgufMetadata metadata =
        GgufMetadata.builder("small")
            .put("general.name", "small")
            .put("general.file_type", 1)
            .put("split.count", 1)
            .build();
    return GgufFile.read(
        new ByteArrayInputStream(GgufFilesTest.written(metadata, tensors)), "small");
  }

  private static GgufWriter.Source numbers(String name, Shape shape) {
    Random random = new Random(name.hashCode());
    float[] values = new float[(int) shape.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return f32(name, shape, values);
  }

  private static GgufWriter.Source f32(String name, Shape shape, float[] values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
    for (int i = 0; i < values.length; i++) {
      bytes.set(WeightFormat.F32_BITS, 4L * i, values[i]);
    }
    return new GgufWriter.Source(name, shape, WeightFormats.F32, bytes);
  }

  /** Numbers around 1, which are finite in either format of 16 bits. */
  private static GgufWriter.Source halves(String name, WeightFormat format, Shape shape) {
    Random random = new Random(name.hashCode());
    MemorySegment bytes = MemorySegment.ofArray(new byte[2 * (int) shape.elements()]);
    for (long at = 0; at < bytes.byteSize(); at += 2) {
      int bits = 0x3c00 + random.nextInt(0x300) + (random.nextBoolean() ? 0x8000 : 0);
      bytes.set(WeightFormat.F16_BITS, at, (short) bits);
    }
    return new GgufWriter.Source(name, shape, format, bytes);
  }
}
