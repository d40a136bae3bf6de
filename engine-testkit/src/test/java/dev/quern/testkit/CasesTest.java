package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.CompileOptions;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Embed;
import dev.quern.core.op.ExpertMatMul;
import dev.quern.core.op.Op;
import dev.quern.core.op.Projection;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The cases forget no operation and no format. */
class CasesTest {
  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    cases.addAll(ProjectionCases.all());
    cases.addAll(ElementwiseCases.all());
    cases.addAll(RowCases.all());
    cases.addAll(AttentionCases.all());
    cases.addAll(ExpertCases.all());
    cases.addAll(BatchCases.all());
    return cases;
  }

  private static Stream<Class<?>> records(Class<?> type) {
    return type.isSealed()
        ? Stream.of(type.getPermittedSubclasses()).flatMap(CasesTest::records)
        : Stream.of(type);
  }

  @Test
  void everyOperationAndFormatHasCases() {
    Set<Class<?>> operations = new HashSet<>();
    Set<WeightFormat> projected = new HashSet<>();
    Set<WeightFormat> chosen = new HashSet<>();
    Set<WeightFormat> embedded = new HashSet<>();
    RandomWeights weights = new RandomWeights();
    try (Backend backend = Backends.open("reference")) {
      for (Case source : cases()) {
        try (Scene scene =
            new Scene(source, backend, CompileOptions.exact(), Scene.Mode.PLAIN, weights)) {
          for (Op op : scene.compile().ops()) {
            operations.add(op.getClass());
            switch (op) {
              case Projection o -> projected.add(o.w().format());
              case ExpertMatMul o -> chosen.add(o.w().format());
              case Embed o -> embedded.add(o.table().format());
              default -> {}
            }
          }
        }
      }
    }
    assertThat(operations).containsExactlyInAnyOrderElementsOf(records(Op.class).toList());
    assertThat(projected).containsExactlyInAnyOrderElementsOf(WeightFormats.weights());
    assertThat(chosen).containsExactlyInAnyOrderElementsOf(WeightFormats.weights());
    assertThat(embedded).containsExactlyInAnyOrderElementsOf(WeightFormats.weights());
  }

  @Test
  void namesAreUnique() {
    assertThat(cases().stream().map(Case::name)).doesNotHaveDuplicates();
  }

  @Test
  void randomWeightsAreSaneInEveryFormat() {
    RandomWeights weights = new RandomWeights();
    try (Arena arena = Arena.ofConfined()) {
      for (WeightFormat format : WeightFormats.weights()) {
        int count = 300 * format.blockElements();
        float[] values = new float[count];
        format.decode(weights.make(arena, format, count, Seeds.of("test")), 0, values, 0, count);
        Set<Float> distinct = new HashSet<>();
        for (float value : values) {
          assertThat(value).isBetween(-3f, 3f);
          distinct.add(value);
        }
        // MXFP4 knows powers of two and their one and a half fold only
        assertThat(distinct).as(format.name()).hasSizeGreaterThan(20);
      }
    }
  }

  @Test
  void aTensorOfAnotherCaseIsNotMistaken() {
    try (Backend backend = Backends.open("reference")) {
      Case source = cases().getFirst();
      RandomWeights weights = new RandomWeights();
      CompileOptions exact = CompileOptions.exact();
      try (Scene one = new Scene(source, backend, exact, Scene.Mode.PLAIN, weights);
          Scene two = new Scene(source, backend, exact, Scene.Mode.PLAIN, weights)) {
        List<Tensor> first = one.watched().stream().map(Scene.Watched::tensor).toList();
        List<Tensor> second = two.watched().stream().map(Scene.Watched::tensor).toList();
        assertThat(first).as("the same batch for both backends").isEqualTo(second);
      }
    }
  }
}
