package dev.quern.transformer;

import dev.quern.core.Shape;
import dev.quern.core.format.WeightFormat;
import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Where a model comes from: metadata and stored weights. Closed when the model is closed. */
public interface ModelSource extends AutoCloseable {
  /** The model in an open GGUF file, which from now on belongs to the source. */
  static ModelSource of(GgufFile file) {
    return new GgufSource(file);
  }

  /** The name used in messages, such as a file's path. */
  String name();

  /** What a GGUF file says about the model. */
  GgufMetadata metadata();

  /** All weights. */
  List<Weight> weights();

  /** Gives the memory of the weights back. */
  @Override
  void close();

  /**
   * A stored weight.
   *
   * @param name as in GGUF files, for example {@code blk.0.attn_q.weight}
   * @param shape slowest dimension first
   * @param format how it is stored
   * @param data the stored bytes, alive until the source is closed
   */
  record Weight(String name, Shape shape, WeightFormat format, MemorySegment data) {}
}
