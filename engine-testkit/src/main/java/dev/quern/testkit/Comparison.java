package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.core.Backend;
import dev.quern.core.BackendException;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.Support;
import dev.quern.core.op.Op;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;

/**
 * Runs cases on the backend under test and on the reference, and compares.
 *
 * @param subject the backend under test
 * @param oracle the reference
 * @param matrix what the subject declares as unsupported
 * @param weights pools of random blocks
 */
record Comparison(Backend subject, Backend oracle, SupportMatrix matrix, RandomWeights weights) {
  void run(Case source, CompileOptions options) {
    CompileOptions exact = CompileOptions.of(options.precision());
    try (Scene actual = new Scene(source, subject, options, Scene.Mode.PLAIN, weights);
        Scene expected = new Scene(source, oracle, exact, Scene.Mode.PLAIN, weights);
        Scene sums = new Scene(source, oracle, exact, Scene.Mode.ABSOLUTE, weights)) {
      List<Op> refused = refused(actual.batch().end(), options);
      expected.compile();
      sums.compile();
      long hostSteps = subject.statistics().hostSteps();
      try {
        actual.compile();
        for (int number = 0; number < actual.submits(); number++) {
          step(actual, expected, sums, number, options);
        }
      } catch (BackendException | UnsupportedOperationException e) {
        Set<String> declared =
            refused.stream().filter(matrix::declares).map(Op::name).collect(Collectors.toSet());
        assertThat(declared)
            .withFailMessage(() -> "%s: threw outside the support matrix: %s".formatted(source, e))
            .isNotEmpty();
        Assumptions.abort("declared unsupported: " + declared);
      }
      explained(actual.explain(), refused, options);
      if (refused.isEmpty()) {
        assertThat(subject.statistics().hostSteps())
            .as("host steps, though every operation is supported")
            .isEqualTo(hostSteps);
      }
    }
  }

  /** Operations without a kernel; each must be in the matrix. */
  private List<Op> refused(CommandBatch batch, CompileOptions options) {
    List<Op> refused = new ArrayList<>();
    for (Op op : batch.ops()) {
      switch (subject.supports(op, options.precision())) {
        case Support.Yes yes -> assertThat(yes.kernel()).as("kernel of %s", op).isNotBlank();
        case Support.No no -> {
          assertThat(matrix.declares(op))
              .withFailMessage(() ->
                  "%s is refused outside the support matrix: %s".formatted(op.name(), no.reason()))
              .isTrue();
          refused.add(op);
        }
      }
    }
    return refused;
  }

  private void explained(String explanation, List<Op> refused, CompileOptions options) {
    assertThat(explanation).as("explain()").isNotBlank();
    for (Op op : refused) {
      if (subject.supports(op, options.precision()) instanceof Support.No no) {
        assertThat(explanation).as("explain() of a refused %s", op.name()).contains(no.reason());
      }
    }
  }

  private static void step(
      Scene actual, Scene expected, Scene sums, int number, CompileOptions options) {
    List<MemorySegment> before = states(expected);
    List<MemorySegment> actualBefore = states(actual);
    actual.submit(number);
    expected.submit(number);
    boolean sumsNeeded = expected.watched().stream().anyMatch(watched -> isDot(watched, options));
    if (sumsNeeded) {
      sums.submit(number);
    }
    for (int i = 0; i < expected.watched().size(); i++) {
      Scene.Watched watched = expected.watched().get(i);
      MemorySegment magnitude =
          isDot(watched, options) ? sums.watched().get(i).read() : MemorySegment.NULL;
      new Check(
              "%s, submit %d, %s".formatted(expected.name(), number, watched.tensor()),
              watched,
              actual.watched().get(i).read(),
              watched.read(),
              magnitude)
          .unwritten(watched.output(), actualBefore.get(i), before.get(i))
          .within(watched.tolerance().bound(options.precision()), watched.tolerance());
    }
    assertThat(actual.damage()).as("submit %d: damage", number).isEmpty();
    assertThat(expected.damage()).as("submit %d: damage by the oracle", number).isEmpty();
  }

  /** Whether the oracle's sum of absolute products bounds the error. */
  private static boolean isDot(Scene.Watched watched, CompileOptions options) {
    return watched.tolerance().bound(options.precision()) instanceof Tolerance.Bound.Dot;
  }

  /** What persistent tensors hold. */
  private static List<MemorySegment> states(Scene scene) {
    return scene.watched().stream()
        .map(watched -> watched.output() ? MemorySegment.NULL : watched.read())
        .toList();
  }
}
