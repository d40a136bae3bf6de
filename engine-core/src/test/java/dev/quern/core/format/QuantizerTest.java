package dev.quern.core.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bytes and decoded values equal those of ggml's library, by digests made with it. */
class QuantizerTest {
  private static final int NUMBERS = 2048;

  /** The input of the digests: a linear congruential sequence, in [-3, 3). */
  private static float[] input() {
    float[] input = new float[NUMBERS];
    int state = 12345;
    for (int i = 0; i < NUMBERS; i++) {
      state = state * 1664525 + 1013904223;
      input[i] = ((state >>> 8) - 8388608) / 8388608f * 3f;
    }
    return input;
  }

  private static MemorySegment quantize(Quantizer quantizer, float[] source) {
    byte[] bytes = new byte[(int) quantizer.format().bytes(source.length)];
    MemorySegment target = MemorySegment.ofArray(bytes);
    quantizer.quantize(source, 0, source.length, target, 0);
    return target;
  }

  private static float[] decode(WeightFormat format, MemorySegment bytes, int count) {
    float[] values = new float[count];
    format.decode(bytes, 0, values, 0, count);
    return values;
  }

  private static String digest(float[] values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
    for (int i = 0; i < values.length; i++) {
      bytes.set(WeightFormat.F32_BITS, 4L * i, values[i]);
    }
    return digest(bytes);
  }

  private static String digest(MemorySegment bytes) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(bytes.toArray(ValueLayout.JAVA_BYTE));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void inputIsTheOneOfTheDigests() {
    assertThat(digest(input())).isEqualTo("f1de5ae8847e734b");
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_0,  f6efdbfb1faa0b13, 27591c9148b5397a, edb5af1fa716015e, 0.00250038",
    "Q8_0,  3f26a9270cc9eef9, ecbf84614d34ea5f, f92585840b23699c, 0.00014467",
    "TQ1_0, b17ae22584c8afd7, a1adcc2f9b5bd675, 2c2d80a6bf3e7b81, 0.0191627",
    "TQ2_0, 7aba0f4cdfd8e1a7, a1adcc2f9b5bd675, 5494556922488555, 0.0191627",
    "Q8_K,  71411c5477c6c6ca, 6e1406e8f97469e3, af7bc1bc7a7bf5de, 0.000149225"
  })
  void bytesAndValuesEqualThoseOfGgml(
      String name, String bytesDigest, String valuesDigest, String firstBytes, double error) {
    WeightFormat format = WeightFormats.byName(name).orElseThrow();
    MemorySegment bytes = quantize(Quantizers.of(format).orElseThrow(), input());
    byte[] first = bytes.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE);
    assertThat(HexFormat.of().formatHex(first)).isEqualTo(firstBytes);
    assertThat(digest(bytes)).isEqualTo(bytesDigest);
    float[] values = decode(format, bytes, NUMBERS);
    assertThat(digest(values)).isEqualTo(valuesDigest);
    double squares = 0;
    for (int i = 0; i < NUMBERS; i++) {
      squares += Math.pow(values[i] - input()[i], 2);
    }
    assertThat(Math.sqrt(squares) / NUMBERS).isCloseTo(error, within(error * 1e-4));
  }

  @Test
  void theScaleOfQ8KIsNegativeWhenTheExtremeIsPositive() {
    float[] source = new float[256];
    source[7] = 4;
    source[9] = -2;
    MemorySegment bytes = quantize(Quantizers.Q8_K, source);
    assertThat(bytes.get(WeightFormat.F32_BITS, 0)).isCloseTo(-0.0314961f, within(1e-7f));
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 4 + 7)).isEqualTo((byte) -127);
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 4 + 9)).isEqualTo((byte) 64);
    assertThat(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED, 260)).isEqualTo((short) -63);
  }

  @Test
  void zerosBecomeZerosWhateverTheMemoryHeld() {
    for (Quantizer quantizer : Quantizers.all()) {
      WeightFormat format = quantizer.format();
      byte[] bytes = new byte[format.blockBytes()];
      Arrays.fill(bytes, (byte) 0x5a);
      float[] zeros = new float[format.blockElements()];
      quantizer.quantize(zeros, 0, MemorySegment.ofArray(bytes), 0);
      for (float value : decode(format, MemorySegment.ofArray(bytes), zeros.length)) {
        assertThat(value).as(format.name()).isZero();
      }
    }
    byte[] sums = new byte[292];
    Arrays.fill(sums, (byte) 0x5a);
    Quantizers.Q8_K.quantize(new float[256], 0, MemorySegment.ofArray(sums), 0);
    assertThat(sums).containsOnly(0);
  }

  @Test
  void partsOfBlocksAreRefused() {
    MemorySegment target = MemorySegment.ofArray(new byte[64]);
    assertThatThrownBy(() -> Quantizers.Q8_0.quantize(new float[33], 0, 33, target, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Q8_0")
        .hasMessageContaining("33");
  }
}
