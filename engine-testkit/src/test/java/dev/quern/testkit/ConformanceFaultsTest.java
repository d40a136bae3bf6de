package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

/** The suite fails for backends that are wrong, and passes for those that only round. */
class ConformanceFaultsTest {
  /** A backend and the factory of cases that must find its fault. */
  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of(Faults.TransposedWeight.class, "projections"),
        Arguments.of(Faults.TransposedWeight.class, "batches"),
        Arguments.of(Faults.Int8InExact.class, "projections"),
        Arguments.of(Faults.HalfInExact.class, "projections"),
        Arguments.of(Faults.MissingMask.class, "attention"),
        Arguments.of(Faults.MissingMask.class, "batches"),
        Arguments.of(Faults.FirstPositionOnly.class, "attention"),
        Arguments.of(Faults.FirstPositionOnly.class, "batches"),
        Arguments.of(Faults.WrongGroups.class, "attention"),
        Arguments.of(Faults.OnePosition.class, "attention"),
        Arguments.of(Faults.UnwrittenRow.class, "elementwise"),
        Arguments.of(Faults.UnwrittenRow.class, "rows"),
        Arguments.of(Faults.UnwrittenRow.class, "experts"),
        Arguments.of(Faults.DeadRows.class, "elementwise"),
        Arguments.of(Faults.OutOfBounds.class, "elementwise"),
        Arguments.of(Faults.LastOfTies.class, "rows"),
        Arguments.of(Faults.Undeclared.class, "rows"),
        Arguments.of(Faults.Thrown.class, "rows"),
        Arguments.of(Faults.Leak.class, "lifecycle"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aFaultIsFound(Class<?> suite, String factory) {
    Events tests = run(selectMethod(suite, factory));
    assertThat(tests.failed().count()).isPositive();
    assertThat(tests.failed().stream())
        .as("failures are assertions, not accidents")
        .allSatisfy(event ->
            assertThat(event.getRequiredPayload(TestExecutionResult.class).getThrowable())
                .get()
                .isInstanceOf(AssertionError.class));
  }

  @Test
  void theHonestBackendPasses() {
    Events tests = run(selectClass(Faults.Honest.class));
    assertThat(tests.failed().stream().map(ConformanceFaultsTest::message)).isEmpty();
    assertThat(tests.aborted().count()).isZero();
    assertThat(tests.succeeded().count()).isGreaterThan(400);
  }

  /** Backends round; the tolerances allow what they may, and no more. */
  @ParameterizedTest
  @ValueSource(classes = {Faults.Float32Sums.class, Faults.Int8InFast.class})
  void allowedRoundingPasses(Class<?> suite) {
    Events tests = run(selectMethod(suite, "projections"), selectMethod(suite, "batches"));
    assertThat(tests.failed().stream().map(ConformanceFaultsTest::message)).isEmpty();
    assertThat(tests.succeeded().count()).isGreaterThan(200);
  }

  @Test
  void whatIsDeclaredUnsupportedMayRunElsewhere() {
    Events tests = run(selectMethod(Faults.Declared.class, "rows"));
    assertThat(tests.failed().stream().map(ConformanceFaultsTest::message)).isEmpty();
    assertThat(tests.aborted().count()).isZero();
  }

  @Test
  void whatIsDeclaredUnsupportedMayThrow() {
    Events tests = run(selectMethod(Faults.DeclaredAndThrown.class, "rows"));
    assertThat(tests.failed().stream().map(ConformanceFaultsTest::message)).isEmpty();
    assertThat(tests.aborted().count()).as("softmax, in both precisions").isEqualTo(4);
  }

  @Test
  void faultsDoNotHideBehindOtherFaults() {
    Events tests = run(selectMethod(Faults.TransposedWeight.class, "attention"));
    assertThat(tests.failed().count()).as("attention does not use weights").isZero();
  }

  private static Events run(DiscoverySelector... selectors) {
    return EngineTestKit.engine("junit-jupiter").selectors(selectors).execute().testEvents();
  }

  private static String message(Event event) {
    return event
        .getRequiredPayload(TestExecutionResult.class)
        .getThrowable()
        .map(String::valueOf)
        .orElse("no message");
  }
}
