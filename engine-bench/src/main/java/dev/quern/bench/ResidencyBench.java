package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * What do resident weights buy? A Q4_K product whose weight was adopted once, and the same product
 * whose weight is written to the backend before every call. The limit of the first is reading the
 * weight from the device's memory, of the second also the way there.
 *
 * <p>A resident weight is more than one that is there: the CPU backend copies it once into the
 * order of its fastest kernels, and multiplies what it has not seen before as it lies in the file,
 * which takes most of the time of the second.
 */
public class ResidencyBench extends BackendBench {
  /** Rows. */
  @Param("1")
  public int rows = 1;

  /** Outputs. */
  @Param("4096")
  public int n = 4096;

  /** Length of a row. */
  @Param("4096")
  public int k = 4096;

  private @Nullable Subject uploading;

  /** Made by JMH. */
  public ResidencyBench() {}

  @Override
  void record(Subject.Parts parts, BatchRecorder batch) {
    Tensor x = batch.input("x", Shape.of(rows, k));
    batch.output("y", batch.matmul(x, parts.weight("w", WeightFormats.Q4_K, n, k)));
  }

  /** Opens the product with a weight that comes anew with each call. */
  @Setup(Level.Trial)
  public void openUploading() {
    uploading =
        subject()
            .beside((parts, batch) -> {
              Tensor x = batch.input("x", Shape.of(rows, k));
              Tensor w = batch.input("w", Shape.of(n, k), WeightFormats.Q4_K, null);
              batch.output("y", batch.matmul(x, w));
            });
  }

  /** The weight is there. */
  @Benchmark
  public void resident(Metrics metrics) {
    metrics.of(subject());
    subject().run();
  }

  /** The weight comes with the call. */
  @Benchmark
  public void uploadEachCall(Metrics metrics) {
    metrics.of(subject());
    Subject each = Objects.requireNonNull(uploading);
    each.upload("w");
    each.run();
  }
}
