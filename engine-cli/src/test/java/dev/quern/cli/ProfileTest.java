package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.core.Limits;
import dev.quern.core.plan.Cost;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProfileTest {
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void theStepsOfADecodeStepReadEachWeightOnce(String backend) throws IOException {
    Ran ran =
        Ran.quern(
            "profile",
            "--backend",
            backend,
            "--depth",
            "5",
            "--repeat",
            "2",
            "--warm-up",
            "1",
            "--json",
            "-");
    assertThat(ran.status()).as(ran.err()).isZero();
    JsonNode profile = new ObjectMapper().readTree(ran.out());
    assertThat(profile.get("readBytesPerSecond").asDouble()).isPositive();
    assertThat(profile.get("wholeNanos").asDouble()).isPositive();
    long bytes = 0;
    for (JsonNode step : profile.get("steps")) {
      assertThat(step.get("nanos").asDouble()).isPositive();
      bytes += step.get("bytes").asLong();
    }
    // the model has 4.7 MB of weights that a step reads; caches and activations add a little
    assertThat(bytes).isBetween(4_300_000L, 5_600_000L);
    assertThat(profile.get("steps").findValuesAsText("what"))
        .contains("attention", "dequant-matmul token_embd Q6_K");
  }

  @Test
  void theTableNamesLimitsAndOperations() {
    Ran ran =
        Ran.quern(
            "profile",
            "--backend",
            "reference",
            "--depth",
            "0",
            "--repeat",
            "1",
            "--warm-up",
            "0",
            "--rows",
            "3");
    assertThat(ran.status()).as(ran.err()).isZero();
    assertThat(ran.out())
        .contains("limits measured now", "dequant-matmul ffn_up Q4_K", "3 token(s) at depth 0")
        .doesNotContain("not watched");
  }

  @Test
  void aGroupAddsUpAndIsSharedWithTheNearerCeiling() {
    StepProfile.Line line = new StepProfile.Line("a", "k", 1, 1000, new Cost(4000, 100));
    StepProfile grouped = new StepProfile(List.of(line, line)).grouped();
    StepProfile.Line both = grouped.lines().getFirst();
    assertThat(both).isEqualTo(new StepProfile.Line("a", "k", 2, 2000, new Cost(8000, 200)));
    assertThat(both.bytesPerSecond()).isEqualTo(4e9);
    assertThat(both.share(new Limits(8e9, 1e12))).isEqualTo(0.5);
    assertThat(both.share(new Limits(8e12, 1e8))).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--depth -1", "--rows 0", "--repeat 0", "--quant Q4_0"})
  void wrongUsage(String options) {
    Ran ran = Ran.quern(("profile --backend reference " + options).split(" ", -1));
    assertThat(ran.status()).isEqualTo(2);
    assertThat(ran.err()).startsWith("quern: --").hasLineCount(1);
  }
}
