package dev.quern.bench;

import dev.quern.core.Backend;
import dev.quern.core.Backends;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import dev.quern.core.op.Attention;
import dev.quern.core.op.Projection;
import dev.quern.core.plan.Cost;
import dev.quern.testkit.RandomWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * A batch on a backend with random weights and inputs, compiled once and submitted again and again.
 * Opening it checks the results against the reference: all of them up to {@value #MOST_FLOPS}
 * operations, and samples of a larger product.
 */
final class Subject implements AutoCloseable {
  /** The reference does some 10⁸ multiply-adds a second. */
  static final long MOST_FLOPS = 200_000_000;

  private static final int SAMPLES = 64;

  /** Normalised mean square errors: of float32 sums, and of activations rounded to int8. */
  private static final double EXACT_ERROR = 1e-9;

  private static final double FAST_ERROR = 1e-3;

  private final Recording recording;
  private final Arena arena = Arena.ofShared();
  private final Backend backend;
  private final boolean owner;
  private final List<Subject> besides = new ArrayList<>();
  private final Precision precision;
  private final Made made;
  private final Cost cost;
  private final double error;

  /** Records the operations; weights and cached values come from the parts. */
  @FunctionalInterface
  interface Recording {
    void record(Parts parts, BatchRecorder batch);
  }

  /** The recorded batch on one backend. */
  private record Made(
      CommandBatch batch,
      CompiledBatch compiled,
      Bindings bindings,
      Map<String, Buffer> buffers,
      Map<String, MemorySegment> bytes)
      implements AutoCloseable {
    float[] result(String name, Tensor tensor) {
      float[] values = new float[Math.toIntExact(tensor.shape().elements())];
      buffer(name).read(0, MemorySegment.ofArray(values));
      return values;
    }

    Buffer buffer(String name) {
      Buffer buffer = buffers.get(name);
      if (buffer == null) {
        throw new IllegalStateException("subject: %s must be bound but is not".formatted(name));
      }
      return buffer;
    }

    @Override
    public void close() {
      compiled.close();
    }
  }

  /** Makes constants on a backend; the same seed makes the same on every one. */
  final class Parts {
    private final Backend on;
    private final Map<String, MemorySegment> bytes = new HashMap<>();
    private final Map<Tensor, int[]> integers = new HashMap<>();

    private Parts(Backend on) {
      this.on = on;
    }

    /** A resident weight. */
    Tensor weight(String name, WeightFormat format, long... dims) {
      Shape shape = Shape.of(dims);
      return on.adopt(name, format, shape, random(name, format, shape));
    }

    /** A buffer that can be written, such as a cache, filled with random values. */
    Tensor filled(String name, WeightFormat format, long... dims) {
      Shape shape = Shape.of(dims);
      MemorySegment values = random(name, format, shape);
      Buffer buffer = on.allocate(name, values.byteSize());
      buffer.write(0, values);
      return Tensor.of(name, buffer, shape, format);
    }

    /** An input of integers, the same in every submit. */
    Tensor integers(BatchRecorder batch, String name, int... values) {
      Tensor input = batch.input(name, Shape.of(values.length), WeightFormats.I32, null);
      integers.put(input, values);
      return input;
    }

    private MemorySegment random(String name, WeightFormat format, Shape shape) {
      return bytes.computeIfAbsent(
          name, n -> new RandomWeights().make(arena, format, shape.elements(), generator(n)));
    }
  }

  Subject(String backendName, Precision precision, Recording recording) {
    this(Backends.open(backendName), true, precision, recording);
  }

  private Subject(Backend backend, boolean owner, Precision precision, Recording recording) {
    this.recording = recording;
    this.precision = precision;
    this.backend = backend;
    this.owner = owner;
    made = make(backend);
    cost = Cost.of(made.batch.ops(), Long.MAX_VALUE, depth(made.batch));
    run();
    error = cost.flops() <= MOST_FLOPS ? whole() : sampled();
    double most = precision == Precision.EXACT ? EXACT_ERROR : FAST_ERROR;
    if (!(error <= most)) {
      throw new IllegalStateException(
          "%s: error of %s on %s must be at most %g but is %g"
              .formatted(made.batch.name(), precision, backend.name(), most, error));
    }
  }

  /**
   * Another batch on the same backend, closed with this one. Two backends at once would have two
   * sets of workers, and those that wait for work would take the cores from those that have some.
   */
  Subject beside(Recording another) {
    Subject subject = new Subject(backend, false, precision, another);
    besides.add(subject);
    return subject;
  }

  private static RandomGenerator generator(String name) {
    return new SplittableRandom(name.hashCode());
  }

  private Made make(Backend on) {
    BatchRecorder recorder = CommandBatch.record("bench");
    Parts parts = new Parts(on);
    recording.record(parts, recorder);
    CommandBatch batch = recorder.end();
    CompiledBatch compiled = on.compile(batch, CompileOptions.of(precision));
    Bindings bindings = batch.bindings();
    Map<String, Buffer> buffers = new HashMap<>();
    batch
        .inputs()
        .forEach((name, tensor) -> {
          Buffer buffer = on.allocate(name, tensor.bytes());
          int[] integers = parts.integers.get(tensor);
          buffer.write(
              0,
              integers != null
                  ? MemorySegment.ofArray(integers)
                  : parts.random(name, tensor.format(), tensor.shape()));
          bindings.set(tensor, buffer);
          buffers.put(name, buffer);
        });
    batch
        .outputs()
        .forEach((name, tensor) -> {
          Buffer buffer = on.allocate(name, tensor.bytes());
          bindings.set(tensor, buffer);
          buffers.put(name, buffer);
        });
    return new Made(batch, compiled, bindings, buffers, parts.bytes);
  }

  /** Submits the batch and waits. */
  void run() {
    made.compiled.submit(made.bindings).await();
  }

  /** Writes an input anew. */
  void upload(String input) {
    MemorySegment bytes = made.bytes.get(input);
    if (bytes == null) {
      throw new IllegalStateException("subject: %s must be an input".formatted(input));
    }
    made.buffer(input).write(0, bytes);
  }

  /** Writes other values into an input. */
  void write(String input, MemorySegment values) {
    made.buffer(input).write(0, values);
  }

  /** What a submit must move and compute. */
  Cost cost() {
    return cost;
  }

  private static long depth(CommandBatch batch) {
    return batch.ops().stream()
        .filter(Attention.class::isInstance)
        .mapToLong(op -> ((Attention) op).keys().shape().dim(1))
        .max()
        .orElse(0);
  }

  /** Normalised mean square error against the reference. */
  double error() {
    return error;
  }

  /** One line that says what ran: a lost flag or a missing device shows here. */
  String path() {
    List<String> lines = made.compiled.explain().lines().map(String::strip).toList();
    return "%s | %s | %s | %s"
        .formatted(
            backend.name(),
            backend.device().name(),
            backend.device().driver(),
            String.join(" ; ", lines.subList(0, Math.min(4, lines.size()))));
  }

  private double whole() {
    double worst = 0;
    try (Backend reference = Backends.open("reference");
        Made oracle = make(reference)) {
      oracle.compiled.submit(oracle.bindings).await();
      for (Map.Entry<String, Tensor> output : made.batch.outputs().entrySet()) {
        float[] actual = made.result(output.getKey(), output.getValue());
        float[] expected = oracle.result(output.getKey(), output.getValue());
        worst = Math.max(worst, error(actual, expected));
      }
    }
    return worst;
  }

  /** Some elements of a single product, computed here. */
  private double sampled() {
    if (made.batch.ops().size() != 1 || !(made.batch.ops().getFirst() instanceof Projection p)) {
      throw new IllegalStateException(
          "subject: a batch too large for the reference must be one product");
    }
    String output = made.batch.outputs().keySet().iterator().next();
    float[] y = made.result(output, p.y());
    float[] x = made.result(p.x().name(), p.x());
    int k = Math.toIntExact(p.w().shape().last());
    int n = Math.toIntExact(p.w().shape().rows());
    RandomGenerator random = generator("samples");
    List<Float> actual = new ArrayList<>();
    List<Float> expected = new ArrayList<>();
    float[] weights = new float[k];
    MemorySegment stored = made.bytes.get(p.w().name());
    if (stored == null) {
      throw new IllegalStateException("subject: weight must be made here but is not");
    }
    for (int i = 0; i < SAMPLES; i++) {
      int row = random.nextInt(Math.toIntExact(p.x().shape().rows()));
      int column = random.nextInt(n);
      p.w().format().decode(stored, p.w().rowBytes() * column, weights, 0, k);
      double sum = 0;
      for (int j = 0; j < k; j++) {
        sum += (double) weights[j] * x[row * k + j];
      }
      expected.add((float) sum);
      actual.add(y[row * n + column]);
    }
    return error(floats(actual), floats(expected));
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }

  private static double error(float[] actual, float[] expected) {
    double difference = 0;
    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      double apart = (double) actual[i] - expected[i];
      difference += apart * apart;
      squares += (double) expected[i] * expected[i];
    }
    return difference / squares;
  }

  @Override
  public void close() {
    besides.forEach(Subject::close);
    made.close();
    if (owner) {
      backend.close();
    }
    arena.close();
  }
}
