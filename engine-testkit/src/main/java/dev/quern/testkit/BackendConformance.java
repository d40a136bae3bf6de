package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.CompileOptions;
import dev.quern.core.OpenOptions;
import dev.quern.core.Precision;
import dev.quern.core.reference.ReferenceBackendProvider;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * What every backend must do. A backend's test extends this class, once for each launch strategy,
 * binding or width of its own:
 *
 * <pre>{@code
 * class MyConformanceTest extends BackendConformance {
 *   @Override
 *   protected Backend open() {
 *     return Backends.open("mine");
 *   }
 * }
 * }</pre>
 *
 * <p>The oracle is the reference backend. Inputs are seeded and contain outliers, outputs are
 * filled with NaN before a submit, sentinels lie around every buffer, and each result is compared
 * within a {@link Tolerance} that carries its reason. An operation that {@code supports} answers
 * {@code No} for is still compared: it must run through the reference.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendConformance {
  private final RandomWeights weights = new RandomWeights();
  private @Nullable Backend subject;
  private @Nullable Backend oracle;

  /** For subclasses. */
  protected BackendConformance() {}

  /** Opens the backend under test. Called several times; each result is closed. */
  protected abstract Backend open();

  /** Settings of every compile, for example a launch strategy. */
  protected Map<String, String> settings() {
    return Map.of();
  }

  /** Which precisions are tested. */
  protected List<Precision> precisions() {
    return List.of(Precision.values());
  }

  /** What the backend has no kernels for. Shipped backends have kernels for everything. */
  protected SupportMatrix supportMatrix() {
    return SupportMatrix.complete();
  }

  @BeforeAll
  public final void openBackends() {
    subject = open();
    oracle = new ReferenceBackendProvider().open(OpenOptions.defaults());
  }

  @AfterAll
  public final void closeBackends() {
    if (subject != null) {
      subject.close();
    }
    if (oracle != null) {
      oracle.close();
    }
  }

  @TestFactory
  public final Stream<DynamicNode> projections() {
    return compared(ProjectionCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> elementwise() {
    return compared(ElementwiseCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> rows() {
    return compared(RowCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> attention() {
    return compared(AttentionCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> experts() {
    return compared(ExpertCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> batches() {
    return compared(BatchCases.all());
  }

  @TestFactory
  public final Stream<DynamicNode> lifecycle() {
    return Stream.of(
        fresh("says who it is", Lifecycle::identity),
        fresh("counts", Lifecycle::counters),
        fresh("buffers", Lifecycle::buffers),
        fresh("closing", Lifecycle::closing),
        fresh("errors", Lifecycle::errors),
        fresh("arrays", Lifecycle::arrays),
        fresh("threads", Lifecycle::threads),
        fresh("profile", Lifecycle::profile),
        fresh("limits", Lifecycle::limits),
        fresh("flight recorder", Lifecycle::flightRecorder),
        fresh("a thousand batches", Lifecycle::thousandBatches));
  }

  private DynamicNode fresh(String name, Consumer<Lifecycle> check) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          try (Backend backend = open()) {
            CompileOptions options = new CompileOptions(precisions().getFirst(), settings());
            check.accept(new Lifecycle(backend, options));
          }
        });
  }

  private Stream<DynamicNode> compared(List<Case> cases) {
    return precisions().stream()
        .map(precision ->
            DynamicContainer.dynamicContainer(
                precision.toString(),
                cases.stream()
                    .map(source ->
                        DynamicTest.dynamicTest(source.name(), () -> compare(source, precision)))));
  }

  private void compare(Case source, Precision precision) {
    if (subject == null || oracle == null) {
      throw new IllegalStateException("conformance: backends must be open");
    }
    new Comparison(subject, oracle, supportMatrix(), weights)
        .run(source, new CompileOptions(precision, settings()));
  }
}
