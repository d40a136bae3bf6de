package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTest {
  @Test
  void theReferenceGetsSmallProductsOnly() {
    Plan.Question question =
        new Plan.Question(
            "ProjectionBench",
            true,
            List.of(),
            Map.of("rows", List.of("1", "8", "128"), "n", List.of("2048"), "k", List.of("2048")));
    assertThat(question.parameters("reference")).containsEntry("rows", List.of("1", "8"));
    assertThat(question.parameters("cpu")).containsEntry("rows", List.of("1", "8", "128"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gate", "smoke", "short", "full", "gpu"})
  void everyBenchmarkOfAPlanExists(String name) {
    for (Plan.Question question : Plan.of(name).questions()) {
      assertThat(PlanTest.class.getPackageName() + "." + question.include())
          .satisfies(type -> Class.forName(type));
    }
  }

  @Test
  void anUnknownPlanIsNamed() {
    assertThatThrownBy(() -> Plan.of("quick")).hasMessageContaining("quick");
  }
}
