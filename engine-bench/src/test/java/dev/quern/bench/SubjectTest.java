package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormats;
import org.junit.jupiter.api.Test;

class SubjectTest {
  private static Subject product(int rows, int n) {
    return new Subject("cpu", Precision.FAST, (parts, batch) -> record(parts, batch, rows, n));
  }

  private static void record(Subject.Parts parts, BatchRecorder batch, int rows, int n) {
    batch.output(
        "y",
        batch.matmul(
            batch.input("x", Shape.of(rows, 256)), parts.weight("w", WeightFormats.Q4_K, n, 256)));
  }

  @Test
  void aProductIsComparedWithTheReferenceAsAWholeOrBySamples() {
    try (Subject small = product(1, 64);
        Subject large = product(256, 2048)) {
      assertThat(small.cost().flops()).isEqualTo(2 * 64 * 256);
      assertThat(large.cost().flops()).isGreaterThan(Subject.MOST_FLOPS);
      assertThat(small.error()).isBetween(0.0, 1e-3);
      assertThat(large.error()).isBetween(0.0, 1e-3).isNotZero();
      assertThat(small.path()).contains("cpu", "Java");
    }
  }
}
