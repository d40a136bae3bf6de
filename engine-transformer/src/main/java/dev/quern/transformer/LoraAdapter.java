package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Buffer;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A low-rank adapter beside a loaded model: {@code y = W·x + s·B·(A·x)} with {@code s = weight ·
 * alpha / rank}, the stored weights unchanged (<a href="https://arxiv.org/abs/2106.09685">Hu et al.
 * 2021</a>). Sessions and forward passes name the adapters they run with; several add up, and
 * sessions with different ones, or none, run in one step.
 *
 * <p>The weight is a number on the device: changing it compiles nothing. What a session has in its
 * cache was computed with the weights of its time.
 *
 * <p>Close it after the sessions that use it, and before its model.
 */
public final class LoraAdapter implements AutoCloseable {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Lora lora;
  private final Runner runner;
  private volatile float weight;
  private volatile Tensors tensors;
  private volatile boolean closed;

  /**
   * The two factors of one projection.
   *
   * @param a {@code [rank, in]}, or {@code [experts, rank, in]}
   * @param b {@code [out, rank]}, or {@code [experts, out, rank]}
   * @param scale one element
   */
  private record Pair(Tensor a, Tensor b, Buffer scaleBuffer, Tensor scale, float perWeight) {}

  /** What an adapter has on one backend. */
  static final class Tensors implements AutoCloseable {
    private final Backend backend;
    private final Arena arena = Arena.ofShared();
    private final Map<Long, Tensor> masks = new HashMap<>();
    private final Map<String, Pair> pairs = new HashMap<>();
    private final List<Buffer> buffers = new ArrayList<>();

    private Tensors(Backend backend, Lora lora, float weight) {
      this.backend = backend;
      try {
        lora.factors().forEach((name, factors) -> pairs.put(name, adopt(backend, name, factors)));
        setWeight(weight);
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }

    private void setWeight(float weight) {
      for (Pair pair : pairs.values()) {
        float[] scale = {weight * pair.perWeight};
        pair.scaleBuffer.write(0, MemorySegment.ofArray(scale));
      }
    }

    private Pair adopt(Backend backend, String name, Lora.Factors factors) {
      Buffer scale = backend.allocate(name + ".lora_scale", Float.BYTES);
      buffers.add(scale);
      return new Pair(
          adopt(backend, factors.a()),
          adopt(backend, factors.b()),
          scale,
          Tensor.of(scale.name(), scale, Shape.of(1), WeightFormats.F32),
          factors.scale());
    }

    private Tensor adopt(Backend backend, ModelSource.Weight stored) {
      Tensor tensor = backend.adopt(stored.name(), stored.format(), stored.shape(), stored.data());
      if (tensor.storage() instanceof Buffer buffer) {
        buffers.add(buffer);
      }
      return tensor;
    }

    private Tensor mask(long width) {
      Tensor known = masks.get(width);
      if (known != null) {
        return known;
      }
      MemorySegment data = arena.allocate(F32.byteSize() * 2 * width, 64);
      for (long i = width; i < 2 * width; i++) {
        data.setAtIndex(F32, i, 1);
      }
      Shape shape = Shape.of(2, width);
      Tensor mask =
          adopt(backend, new ModelSource.Weight("mask." + width, shape, WeightFormats.F32, data));
      masks.put(width, mask);
      return mask;
    }

    @Override
    public void close() {
      buffers.forEach(Buffer::close);
      arena.close();
    }
  }

  /**
   * @throws ModelException if a projection of the adapter is not in the model, or has other extents
   */
  LoraAdapter(Lora lora, ModelSource model, Runner runner, float weight) {
    this.lora = lora;
    this.runner = runner;
    this.weight = weight;
    lora.requireFits(model);
    requireFinite(weight);
    tensors = runner.run(placed -> on(placed.backend()));
    runner.add(this);
  }

  /** Its tensors on a backend, with the weight of now. */
  Tensors on(Backend backend) {
    return new Tensors(backend, lora, weight);
  }

  /** Uses its tensors on another backend; those it used are given back with theirs. */
  void use(Tensors moved) {
    tensors = moved;
  }

  /** What messages call it. */
  public String name() {
    return lora.name();
  }

  /** How much of it is added; 1 for what it was trained for, 0 for nothing. */
  public float weight() {
    return weight;
  }

  /**
   * Changes how much of it is added, from the next step on.
   *
   * @throws IllegalArgumentException if the weight is not finite
   */
  public void setWeight(float changed) {
    requireFinite(changed);
    weight = changed;
    runner.run(placed -> {
      tensors.setWeight(changed);
      return changed;
    });
  }

  /**
   * @throws ModelException if it is closed, or was loaded beside a model that runs elsewhere
   */
  void requireUsable(Runner model) {
    if (closed) {
      throw new ModelException(name() + ": an adapter must be open to be used but is closed");
    }
    if (runner != model) {
      throw new ModelException(
          name() + ": an adapter must be loaded beside the model that uses it but is of another");
    }
  }

  private void requireFinite(float changed) {
    if (!Float.isFinite(changed)) {
      throw new IllegalArgumentException(name() + ": weight must be finite but is " + changed);
    }
  }

  /** {@code [2, width]}: zeros, then ones. */
  Tensor mask(long width) {
    return tensors.mask(width);
  }

  /** {@code y} and what the adapters add to projection {@code linear} of {@code x}. */
  static Tensor addAll(
      BatchRecorder b, List<StepTensors.Use> adapters, Linear linear, Tensor x, Tensor y) {
    Tensor sum = y;
    for (StepTensors.Use use : adapters) {
      Pair pair = use.adapter().tensors.pairs.get(linear.name());
      if (pair != null) {
        long count = linear.weight().shape().rows();
        Tensor part = count == pair.b.shape().rows() ? pair.b : pair.b.rows(linear.first(), count);
        Tensor low = b.matmul(use.masked(b, b.matmul(x, pair.a)), part);
        sum = b.add(sum, b.mul(low, pair.scale));
      }
    }
    return sum;
  }

  /** Likewise for a projection of chosen experts. */
  static Tensor addAll(
      BatchRecorder b,
      List<StepTensors.Use> adapters,
      String name,
      Tensor x,
      Tensor ids,
      Tensor y) {
    Tensor sum = y;
    for (StepTensors.Use use : adapters) {
      Pair pair = use.adapter().tensors.pairs.get(name);
      if (pair != null) {
        Tensor low = use.masked(b, b.expertMatmul(x, pair.a, ids));
        sum = b.add(sum, b.mul(b.expertMatmul(low, pair.b, ids), pair.scale));
      }
    }
    return sum;
  }

  /** Gives its tensors back, and forgets what was compiled with it. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      runner.forget(this);
      tensors.close();
      lora.close();
    }
  }
}
