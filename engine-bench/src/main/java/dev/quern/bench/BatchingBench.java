package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does a batch buy? The feed-forward half of a layer, {@code down(swish(gate·x) ⊙ up·x)},
 * submitted as one batch, and as five batches of one operation, each waited for, as an interface
 * with a method for each operation would run it. The limit is reading the three weights.
 *
 * <p>The five share the backend of the one. What they pay for is five submits and waits in place of
 * one: a hundred microseconds each on PoCL, next to nothing on the CPU backend, whose submit is a
 * call and whose workers still spin when the next one comes.
 */
public class BatchingBench extends BackendBench {
  /** Rows. */
  @Param("1")
  public int rows = 1;

  /** Length of a state. */
  @Param({"320", "2048"})
  public int hidden = 320;

  /** Length of what lies between. */
  @Param({"896", "8192"})
  public int between = 896;

  private final List<Subject> parts = new ArrayList<>();

  /** Made by JMH. */
  public BatchingBench() {}

  @Override
  void record(Subject.Parts weights, BatchRecorder batch) {
    Tensor x = batch.input("x", Shape.of(rows, hidden));
    Tensor gate = weights.weight("gate", WeightFormats.Q8_0, between, hidden);
    Tensor up = weights.weight("up", WeightFormats.Q8_0, between, hidden);
    Tensor down = weights.weight("down", WeightFormats.Q8_0, hidden, between);
    Tensor h = batch.mul(batch.swish(batch.matmul(x, gate)), batch.matmul(x, up));
    batch.output("y", batch.matmul(h, down));
  }

  /** Opens the operations one by one. */
  @Setup(Level.Trial)
  public void openParts() {
    Subject all = subject();
    parts.add(all.beside((w, b) -> product(w, b, between, hidden)));
    parts.add(all.beside((w, b) -> product(w, b, between, hidden)));
    parts.add(all.beside((w, b) -> b.output("y", b.swish(wide(b, "x")))));
    parts.add(all.beside((w, b) -> b.output("y", b.mul(wide(b, "x"), wide(b, "z")))));
    parts.add(all.beside((w, b) -> product(w, b, hidden, between)));
  }

  private Tensor wide(BatchRecorder batch, String name) {
    return batch.input(name, Shape.of(rows, between));
  }

  private void product(Subject.Parts weights, BatchRecorder batch, int n, int k) {
    Tensor x = batch.input("x", Shape.of(rows, k));
    batch.output("y", batch.matmul(x, weights.weight("w", WeightFormats.Q8_0, n, k)));
  }

  /** Everything at once. */
  @Benchmark
  public void oneBatch(Metrics metrics) {
    metrics.of(subject());
    subject().run();
  }

  /** The same operations, each submitted and waited for. */
  @Benchmark
  public void oneByOne(Metrics metrics) {
    metrics.of(subject());
    for (Subject part : parts) {
      part.run();
    }
  }
}
