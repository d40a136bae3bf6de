package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Decoders against bytes and values made with another implementation, bit for bit. */
class FormatGoldensTest {
  @Test
  void shippedFormatsDecodeBitForBit() throws IOException {
    List<WeightFormat> checked = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : index(Fixtures.bytes("formats/formats.json"))) {
      String name = entry.getKey();
      WeightFormat format = WeightFormats.byName(name).orElseThrow();
      check(
          format,
          entry.getValue(),
          Fixtures.bytes("formats/" + name + ".bytes"),
          Fixtures.bytes("formats/" + name + ".f32"));
      checked.add(format);
    }
    assertThat(checked)
        .as("every weight format but those that are Java's own numbers")
        .containsAll(
            WeightFormats.weights().stream()
                .filter(f -> !f.equals(WeightFormats.F32) && !f.equals(WeightFormats.F16))
                .toList());
  }

  /** Formats of the fixtures that Quern does not know yet are left out. */
  @Test
  void formatsOfTheFixturesDecodeBitForBit() throws IOException {
    Path folder = Fixtures.path("goldens/formats");
    int known = 0;
    for (Map.Entry<String, JsonNode> entry :
        index(Files.readAllBytes(folder.resolve("formats.json")))) {
      Optional<WeightFormat> format = WeightFormats.byName(entry.getKey());
      if (format.isPresent()) {
        check(
            format.get(),
            entry.getValue(),
            Files.readAllBytes(folder.resolve(entry.getKey() + ".bytes")),
            Files.readAllBytes(folder.resolve(entry.getKey() + ".f32")));
        known++;
      }
    }
    assertThat(known).isGreaterThanOrEqualTo(16);
  }

  @Test
  void numbersOfJavaDecodeBitForBit() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[8]);
    float[] value = new float[1];
    for (int bits = 0; bits <= 0xffff; bits++) {
      bytes.set(WeightFormat.F16_BITS, 1, (short) bits);
      WeightFormats.F16.decode(bytes, 1, value, 0);
      assertThat(Float.floatToRawIntBits(value[0]))
          .isEqualTo(Float.floatToRawIntBits(Float.float16ToFloat((short) bits)));
      WeightFormats.BF16.decode(bytes, 1, value, 0);
      assertThat(Float.floatToIntBits(value[0]))
          .isEqualTo(Float.floatToIntBits(Float.intBitsToFloat(bits << 16)));
    }
    bytes.set(WeightFormat.F32_BITS, 3, 1.25f);
    WeightFormats.F32.decode(bytes, 3, value, 0);
    assertThat(value[0]).isEqualTo(1.25f);
  }

  private static Iterable<Map.Entry<String, JsonNode>> index(byte[] json) throws IOException {
    return new ObjectMapper().readTree(json).properties();
  }

  private static void check(WeightFormat format, JsonNode facts, byte[] bytes, byte[] values) {
    assertThat(format.ggufId()).isEqualTo(facts.required("ggmlType").asInt());
    assertThat(format.blockElements()).isEqualTo(facts.required("blockElements").asInt());
    assertThat(format.blockBytes()).isEqualTo(facts.required("blockBytes").asInt());
    float[] expected = new float[values.length / 4];
    WeightFormats.F32.decode(MemorySegment.ofArray(values), 0, expected, 0, expected.length);
    float[] actual = new float[expected.length];
    assertThat(bytes).hasSize((int) format.bytes(expected.length));
    format.decode(MemorySegment.ofArray(bytes), 0, actual, 0, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Float.floatToRawIntBits(actual[i]))
          .as("%s element %d: %s, expected %s", format.name(), i, actual[i], expected[i])
          .isEqualTo(Float.floatToRawIntBits(expected[i]));
    }
  }
}
