package dev.quern.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.quern.core.format.Quantizers;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArrayMathTest {
  private final Backend backend = Backends.open("reference");
  private final ArrayMath math = ArrayMath.on(backend);
  private final Random random = new Random(1);

  @AfterEach
  void nothingIsLeftBehind() {
    assertThat(backend.statistics().liveBuffers()).isZero();
    assertThat(backend.statistics().liveBatches()).isZero();
    backend.close();
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }

  /** The product, written down once more. */
  private static void check(float[] y, float[] x, float[] w, int rows, int n, int k) {
    assertThat(y).hasSize(rows * n);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < k; j++) {
          sum += (double) x[r * k + j] * w[i * k + j];
        }
        assertThat((double) y[r * n + i]).isCloseTo(sum, within(1e-4));
      }
    }
  }

  @Test
  void matmul() {
    assertThat(math.matmul(new float[] {1, 2}, new float[] {3, 4, 5, 6, 7, 8}, 1, 3, 2))
        .containsExactly(11, 17, 23);
    float[] x = numbers(3 * 7);
    float[] w = numbers(5 * 7);
    check(math.matmul(x, w, 3, 5, 7), x, w, 3, 5, 7);
  }

  @Test
  void q4kMatmul() {
    byte[] w = new byte[3 * 2 * 144];
    random.nextBytes(w);
    for (int block = 0; block < w.length; block += 144) {
      MemorySegment.ofArray(w).set(WeightFormat.F16_BITS, block, Float.floatToFloat16(0.01f));
      MemorySegment.ofArray(w).set(WeightFormat.F16_BITS, block + 2, Float.floatToFloat16(0.02f));
    }
    float[] decoded = new float[3 * 512];
    WeightFormats.Q4_K.decode(MemorySegment.ofArray(w), 0, decoded, 0, decoded.length);
    float[] x = numbers(2 * 512);
    check(math.q4kMatmul(x, w, 2, 3, 512), x, decoded, 2, 3, 512);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TQ1_0", "TQ2_0"})
  void ternaryMatmul(String name) {
    WeightFormat format = WeightFormats.byName(name).orElseThrow();
    float[] ternary = new float[4 * 256];
    for (int i = 0; i < ternary.length; i++) {
      ternary[i] = 0.5f * (random.nextInt(3) - 1);
    }
    byte[] w = new byte[(int) format.bytes(ternary.length)];
    Quantizers.of(format)
        .orElseThrow()
        .quantize(ternary, 0, ternary.length, MemorySegment.ofArray(w), 0);
    float[] x = numbers(256);
    check(math.ternaryMatmul(x, w, format, 1, 4, 256), x, ternary, 1, 4, 256);
  }

  @Test
  void elementwise() {
    assertThat(math.mul(new float[] {1, 2, 3}, new float[] {4, 5, 6})).containsExactly(4, 10, 18);
    float[] y = math.swish(new float[] {-1000, -1, 0, 1, 1000});
    assertThat(y[0]).isZero();
    assertThat(y[1]).isCloseTo(-0.26894143f, within(1e-6f));
    assertThat(y[2]).isZero();
    assertThat(y[3]).isCloseTo(0.7310586f, within(1e-6f));
    assertThat(y[4]).isEqualTo(1000);
  }

  @Test
  void wrongLengthsAreNamed() {
    assertThatThrownBy(() -> math.matmul(new float[5], new float[6], 2, 2, 3))
        .hasMessage("matmul: length of x must be 6 but is 5");
    assertThatThrownBy(() -> math.matmul(new float[6], new float[5], 2, 2, 3))
        .hasMessage("matmul: length of w must be 6 but is 5");
    assertThatThrownBy(() -> math.q4kMatmul(new float[256], new byte[143], 1, 1, 256))
        .hasMessage("q4k-matmul: length of w must be 144 but is 143");
    assertThatThrownBy(() -> math.q4kMatmul(new float[100], new byte[144], 1, 1, 100))
        .hasMessageContaining("multiple of the 256 elements of a Q4_K block but is 100");
    assertThatThrownBy(() -> math.mul(new float[2], new float[3]))
        .hasMessage("mul: length of b must be 2 but is 3");
    assertThatThrownBy(() -> math.swish(new float[0])).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> math.matmul(new float[0], new float[0], 0, 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> math.ternaryMatmul(new float[256], new byte[144], WeightFormats.Q4_K, 1, 1, 256))
        .hasMessageContaining("must be ternary but is Q4_K");
  }
}
