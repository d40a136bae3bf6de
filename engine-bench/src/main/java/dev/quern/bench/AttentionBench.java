package dev.quern.bench;

import dev.quern.core.BatchRecorder;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * How long does attention of one layer take at a depth? Heads of an 8B model, a row a token, the
 * cache in F16. The limit is reading the keys and values once.
 */
public class AttentionBench extends BackendBench {
  private static final int HEADS = 32;
  private static final int KV_HEADS = 8;
  private static final int SIZE = 128;

  /** Positions in the cache, the row's own included. */
  @Param({"128", "1024", "8192"})
  public int depth = 128;

  /** Made by JMH. */
  public AttentionBench() {}

  @Override
  void record(Subject.Parts parts, BatchRecorder batch) {
    Tensor q = batch.input("q", Shape.of(1, HEADS, SIZE));
    Tensor keys = parts.filled("keys", WeightFormats.F16, 1, depth, KV_HEADS, SIZE);
    Tensor values = parts.filled("values", WeightFormats.F16, 1, depth, KV_HEADS, SIZE);
    Tensor sequence = parts.integers(batch, "sequence", 0);
    Tensor position = parts.integers(batch, "position", depth - 1);
    Attention.Rule rule = Attention.Rule.causal((float) (1 / Math.sqrt(SIZE)));
    batch.output("y", batch.attention(q, keys, values, sequence, position, rule));
  }

  /** Submits it and waits. */
  @Benchmark
  public void run(Metrics metrics) {
    metrics.of(subject());
    subject().run();
  }
}
