package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GoldenTest {
  @Test
  void shippedGoldensHaveTheirLogits() throws IOException {
    List<Golden> goldens = Golden.shipped();
    assertThat(goldens).hasSizeGreaterThanOrEqualTo(7);
    for (Golden golden : goldens) {
      check(golden, golden.expected());
    }
    assertThat(goldens).anyMatch(golden -> golden.greedy().size() == 64);
    assertThat(goldens).anyMatch(golden -> golden.prompt().startsWith("Once upon a time"));
  }

  @Test
  void goldensOfTheFixturesHaveTheirLogits() throws IOException {
    Path folder = Fixtures.path("goldens");
    List<Golden> goldens = Golden.in(folder);
    assertThat(goldens).hasSizeGreaterThan(Golden.shipped().size());
    for (Golden golden : goldens) {
      check(golden, golden.expected(folder));
    }
    assertThat(goldens).anyMatch(golden -> golden.adapter() != null);
  }

  private static void check(Golden golden, float[][] expected) {
    assertThat(expected).as(golden.logits()).hasNumberOfRows(golden.positions().size());
    for (float[] row : expected) {
      assertThat(row).as(golden.logits()).hasSize(golden.vocab());
      float[] scaled = row.clone();
      assertThat(Accuracy.nmse(scaled, row)).isZero();
      for (int i = 0; i < row.length; i++) {
        scaled[i] *= 1.01f;
      }
      assertThat(Accuracy.nmse(scaled, row)).as(golden.logits()).isBetween(0.9e-4, 1.1e-4);
    }
  }

  @Test
  void shippedModelsAreThere() throws IOException {
    for (Golden golden : Golden.shipped()) {
      if (golden.model().startsWith("arch-")) {
        try (InputStream model = Golden.model(golden.model())) {
          assertThat(new String(model.readNBytes(4), StandardCharsets.US_ASCII)).isEqualTo("GGUF");
        }
      }
    }
  }
}
