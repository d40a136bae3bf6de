package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.Buffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The weights of one model on one backend, adopted when first asked for, given back at close. */
final class Weights implements AutoCloseable {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String model;
  private final Backend backend;
  private final LoadOptions.Progress progress;
  private final Map<String, ModelSource.Weight> stored = new LinkedHashMap<>();
  private final Map<String, Tensor> adopted = new HashMap<>();
  private final List<Buffer> owned = new ArrayList<>();
  private final Set<String> readOnHost = new HashSet<>();
  private final Scalars scalars = new Scalars();
  private final Arena arena;
  private final long totalBytes;
  private long adoptedBytes;

  /**
   * @param arena holds what is computed, for a backend may use it in place
   */
  Weights(ModelSource source, Backend backend, LoadOptions.Progress progress, Arena arena) {
    this.arena = arena;
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

  /** What messages call the model. */
  String model() {
    return model;
  }

  boolean has(String name) {
    return stored.containsKey(name);
  }

  /** The shape of a stored weight. */
  Shape shape(String name) {
    return require(name).shape();
  }

  /**
   * Checks a weight without adopting it.
   *
   * @throws ModelException if the file lacks it or has it in another shape
   */
  void check(String name, long... extents) {
    requireShape(require(name), Shape.of(extents));
  }

  /**
   * A weight of the given shape.
   *
   * @throws ModelException if the file lacks it or has it in another shape
   */
  Tensor get(String name, long... extents) {
    Shape shape = Shape.of(extents);
    ModelSource.Weight weight = require(name);
    requireShape(weight, shape);
    return adopted.computeIfAbsent(name, key -> adopt(weight));
  }

  /** A weight of the given shape, or null if the file has none of this name. */
  @Nullable Tensor find(String name, long... extents) {
    return has(name) ? get(name, extents) : null;
  }

  /**
   * A stored matrix as that many columns of one element: a stack of {@code [columns, 1]} matrices.
   *
   * @throws ModelException if the file lacks it or has it in another shape or format
   */
  Tensor columns(String name, long count, long columns) {
    ModelSource.Weight weight = require(name);
    if (weight.format().blockElements() != 1) {
      throw new ModelException(
          "%s: format of %s must have no blocks but is %s"
              .formatted(model, name, weight.format().name()));
    }
    requireShape(weight, Shape.of(count, columns));
    Shape shape = Shape.of(count, columns, 1);
    return adopted.computeIfAbsent(
        name, key -> adopt(new ModelSource.Weight(name, shape, weight.format(), weight.data())));
  }

  /**
   * A stored vector, read on the host.
   *
   * @throws ModelException if the file lacks it or has it in another shape
   */
  float[] floats(String name, int count) {
    ModelSource.Weight weight = require(name);
    requireShape(weight, Shape.of(count));
    float[] values = new float[count];
    weight.format().decode(weight.data(), 0, values, 0, count);
    readOnHost.add(name);
    return values;
  }

  /** Constants of one element. */
  Scalars scalars() {
    return scalars;
  }

  /** Constants of one element, adopted when first asked for. */
  final class Scalars {
    private final Map<Float, Tensor> known = new HashMap<>();

    Tensor of(float value) {
      return known.computeIfAbsent(value, this::make);
    }

    private Tensor make(float value) {
      MemorySegment data = arena.allocate(F32.byteSize(), F32.byteAlignment());
      data.set(F32, 0, value);
      return computed("scalar." + value, WeightFormats.F32, Shape.of(1), data);
    }
  }

  /** A constant that is computed rather than stored. */
  Tensor computed(String name, WeightFormat format, Shape shape, MemorySegment data) {
    Tensor tensor = backend.adopt(name, format, shape, data);
    if (tensor.storage() instanceof Buffer buffer) {
      owned.add(buffer);
    }
    return tensor;
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
    unused.removeAll(readOnHost);
    if (!unused.isEmpty()) {
      throw new ModelException(
          "%s: every tensor must have a place in its model family but %s have none; the file needs"
                  .formatted(model, unused)
              + " something this version does not compute");
    }
  }

  private void requireShape(ModelSource.Weight weight, Shape shape) {
    if (!weight.shape().equals(shape)) {
      throw new ModelException(
          "%s: shape of %s must be %s but is %s"
              .formatted(model, weight.name(), shape, weight.shape()));
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
    Tensor tensor = computed(weight.name(), weight.format(), weight.shape(), weight.data());
    adoptedBytes += weight.data().byteSize();
    progress.loaded(adoptedBytes, totalBytes);
    return tensor;
  }

  @Override
  public void close() {
    owned.forEach(Buffer::close);
    owned.clear();
  }
}
