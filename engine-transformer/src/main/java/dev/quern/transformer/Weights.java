package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The weights of one model on one backend, adopted when first asked for. */
final class Weights {
  private final String model;
  private final Backend backend;
  private final LoadOptions.Progress progress;
  private final Map<String, ModelSource.Weight> stored = new LinkedHashMap<>();
  private final Map<String, Tensor> adopted = new HashMap<>();
  private final long totalBytes;
  private long adoptedBytes;

  Weights(ModelSource source, Backend backend, LoadOptions.Progress progress) {
    this.model = source.name();
    this.backend = backend;
    this.progress = progress;
    long bytes = 0;
    for (ModelSource.Weight weight : source.weights()) {
      stored.put(weight.name(), weight);
      bytes += weight.data().byteSize();
    }
    totalBytes = bytes;
  }

  boolean has(String name) {
    return stored.containsKey(name);
  }

  /** The shape of a stored weight. */
  Shape shape(String name) {
    return require(name).shape();
  }

  /**
   * A weight of the given shape.
   *
   * @throws ModelException if the file lacks it or has it in another shape
   */
  Tensor get(String name, long... extents) {
    Shape shape = Shape.of(extents);
    ModelSource.Weight weight = require(name);
    if (!weight.shape().equals(shape)) {
      throw new ModelException(
          "%s: shape of %s must be %s but is %s".formatted(model, name, shape, weight.shape()));
    }
    return adopted.computeIfAbsent(name, key -> adopt(weight));
  }

  /** A weight of the given shape, or null if the file has none of this name. */
  @Nullable Tensor find(String name, long... extents) {
    return has(name) ? get(name, extents) : null;
  }

  /** Element {@code index} of a stored F32 vector, read on the host. */
  float storedFloat(String name, int index) {
    ModelSource.Weight weight = require(name);
    float[] value = new float[1];
    weight.format().decode(weight.data(), weight.format().bytes(index), value, 0);
    return value[0];
  }

  /** A constant that is computed rather than stored. */
  Tensor computed(String name, WeightFormat format, Shape shape, MemorySegment data) {
    return backend.adopt(name, format, shape, data);
  }

  /**
   * Every stored weight must have been asked for: one that was not means that the model computes
   * something this code does not know of.
   *
   * @throws ModelException naming those that were not
   */
  void requireAllUsed() {
    TreeSet<String> unused = new TreeSet<>(stored.keySet());
    unused.removeAll(adopted.keySet());
    if (!unused.isEmpty()) {
      throw new ModelException(
          "%s: every tensor must have a place in its model family but %s have none; the file needs"
                  .formatted(model, unused)
              + " something this version does not compute");
    }
  }

  private ModelSource.Weight require(String name) {
    ModelSource.Weight weight = stored.get(name);
    if (weight == null) {
      throw new ModelException("%s: must have tensor %s but has not".formatted(model, name));
    }
    return weight;
  }

  private Tensor adopt(ModelSource.Weight weight) {
    Tensor tensor = backend.adopt(weight.name(), weight.format(), weight.shape(), weight.data());
    adoptedBytes += weight.data().byteSize();
    progress.loaded(adoptedBytes, totalBytes);
    return tensor;
  }
}
