package dev.quern.transformer;

import dev.quern.gguf.GgufFile;
import dev.quern.gguf.GgufMetadata;
import java.util.List;

/** A model in a GGUF file. */
record GgufSource(GgufFile file) implements ModelSource {
  @Override
  public String name() {
    return file.name();
  }

  @Override
  public GgufMetadata metadata() {
    return file.metadata();
  }

  @Override
  public List<Weight> weights() {
    return file.tensors().stream()
        .map(t -> new Weight(t.name(), t.shape(), t.format(), t.segment()))
        .toList();
  }

  @Override
  public void close() {
    file.close();
  }
}
