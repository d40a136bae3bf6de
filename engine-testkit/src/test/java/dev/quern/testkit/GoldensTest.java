package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GoldensTest {
  @Test
  void shippedGoldensHaveTheirLogits() {
    List<Goldens.Golden> goldens = Goldens.shipped();
    assertThat(goldens).hasSizeGreaterThanOrEqualTo(7);
    goldens.forEach(GoldensTest::check);
    assertThat(goldens).anyMatch(golden -> golden.greedy().size() == 64);
    assertThat(goldens).anyMatch(golden -> golden.prompt().startsWith("Once upon a time"));
  }

  @Test
  void goldensOfTheFixturesHaveTheirLogits() {
    Path folder = Fixtures.path("goldens");
    List<Goldens.Golden> goldens = Goldens.in(folder);
    assertThat(goldens).hasSizeGreaterThan(Goldens.shipped().size());
    goldens.forEach(GoldensTest::check);
    assertThat(goldens).anyMatch(golden -> !golden.adapter().isEmpty());
  }

  private static void check(Goldens.Golden golden) {
    float[] logits = golden.expected().get();
    assertThat(logits)
        .as(golden.toString())
        .hasSize(golden.positions().size() * golden.vocabulary());
    float[] every = new float[golden.tokens().size() * golden.vocabulary()];
    for (int i = 0; i < golden.positions().size(); i++) {
      System.arraycopy(
          logits,
          i * golden.vocabulary(),
          every,
          golden.positions().get(i) * golden.vocabulary(),
          golden.vocabulary());
    }
    assertThat(golden.nmse(every)).as(golden.toString()).isZero();
    for (int i = 0; i < every.length; i++) {
      every[i] *= 1.01f;
    }
    assertThat(golden.nmse(every)).as(golden.toString()).isBetween(0.9e-4, 1.1e-4);
  }

  @Test
  void shippedModelsAreThere() {
    for (Goldens.Golden golden : Goldens.shipped()) {
      if (golden.model().startsWith("arch-")) {
        byte[] model = Fixtures.bytes("models/" + golden.model());
        assertThat(new String(model, 0, 4, StandardCharsets.US_ASCII)).isEqualTo("GGUF");
      }
    }
  }
}
