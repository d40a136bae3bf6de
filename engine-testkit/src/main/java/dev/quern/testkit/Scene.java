package dev.quern.testkit;

import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.Precision;
import dev.quern.core.Shape;
import dev.quern.core.Slot;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormat;
import dev.quern.core.format.WeightFormats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A case on one backend: makes the tensors that a case asks for with seeded contents, compiles what
 * it records, submits it and hands out what the outputs hold. Two scenes of the same case differ in
 * nothing but the backend.
 */
final class Scene implements AutoCloseable {
  /** What stands in for the given numbers. */
  enum Mode {
    /** Nothing. */
    PLAIN,
    /** Their absolute values, so that a sum of products becomes {@code Σ|aᵢ·bᵢ|}. */
    ABSOLUTE
  }

  /** Bits that outputs are filled with before a submit: a NaN, and no likely index. */
  static final int UNTOUCHED = 0x7fc00000;

  private record Input(Tensor tensor, Content content, Guarded memory) {}

  /** A tensor that is compared after each submit. */
  record Watched(String name, Tensor tensor, Tolerance tolerance, Guarded memory, boolean output) {
    MemorySegment read() {
      return memory.read();
    }
  }

  private final Case source;
  private final Backend backend;
  private final CompileOptions options;
  private final Mode mode;
  private final RandomWeights weights;
  private final Arena arena = Arena.ofShared();
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final List<Guarded> guarded = new ArrayList<>();
  private final BatchRecorder recorder;
  private final List<Input> inputs = new ArrayList<>();
  private final List<Watched> watched = new ArrayList<>();
  private final Map<Slot.Count, int[]> counts = new HashMap<>();
  private int submits = 1;
  private int burst = 1;
  private @Nullable CompiledBatch compiled;
  private @Nullable Bindings bindings;

  Scene(Case source, Backend backend, CompileOptions options, Mode mode, RandomWeights weights) {
    this.source = source;
    this.backend = backend;
    this.options = options;
    this.mode = mode;
    this.weights = weights;
    this.recorder = CommandBatch.record(source.name());
    source.recording().accept(this);
  }

  // What a case calls.

  BatchRecorder batch() {
    return recorder;
  }

  Precision precision() {
    return options.precision();
  }

  /** Activations as {@link Content#activations} has them for the precision. */
  Content activations() {
    return Content.activations(precision());
  }

  /** A number of live rows; submit {@code i} has {@code values[i]}. */
  Slot.Count live(String name, int capacity, int... values) {
    Slot.Count count = recorder.count(name, capacity);
    counts.put(count, values);
    submits = Math.max(submits, values.length);
    return count;
  }

  /** Submits at least so often, with new contents of the inputs. */
  void submits(int times) {
    submits = Math.max(submits, times);
  }

  /** Starts each submit so often before anything is waited for. */
  void burst(int times) {
    burst = times;
  }

  /** Random stored weights, adopted. */
  Tensor weight(String name, WeightFormat format, long... shape) {
    Shape extents = Shape.of(shape);
    MemorySegment bytes =
        weights.make(arena, format, extents.elements(), Seeds.of(source.name(), name));
    return mode == Mode.PLAIN
        ? adopt(name, format, extents, bytes)
        : adopt(name, WeightFormats.F32, extents, RandomWeights.absolute(arena, format, bytes));
  }

  /** A constant F32 tensor. */
  Tensor constant(String name, Content content, long... shape) {
    Shape extents = Shape.of(shape);
    MemorySegment bytes = arena.allocate(WeightFormats.F32.bytes(extents.elements()), 64);
    fill(bytes, WeightFormats.F32, name, content, 0);
    return adopt(name, WeightFormats.F32, extents, bytes);
  }

  /** An F32 input with activations. */
  Tensor input(String name, Slot.@Nullable Count live, long... shape) {
    return input(name, live, activations(), shape);
  }

  /** An F32 input. */
  Tensor input(String name, Slot.@Nullable Count live, Content content, long... shape) {
    return input(name, live, WeightFormats.F32, content, Shape.of(shape));
  }

  /** An I32 input with one element a row. */
  Tensor indices(String name, Slot.@Nullable Count live, int rows, Content content) {
    return input(name, live, WeightFormats.I32, content, Shape.of(rows));
  }

  Tensor input(
      String name, Slot.@Nullable Count live, WeightFormat format, Content content, Shape shape) {
    Tensor tensor = recorder.input(name, shape, format, live);
    inputs.add(new Input(tensor, content, guard(name, 0, tensor.bytes())));
    return tensor;
  }

  /** Names an output and how it is compared. */
  void output(String name, Tensor computed, Tolerance tolerance) {
    Tensor tensor = recorder.output(name, computed);
    watched.add(new Watched(name, tensor, tolerance, guard(name, 0, tensor.bytes()), true));
  }

  /**
   * A tensor in a persistent buffer, {@code offset} bytes from its start, filled once and compared
   * after each submit.
   */
  Tensor persistent(
      String name,
      WeightFormat format,
      long offset,
      Content content,
      Tolerance tolerance,
      long... shape) {
    Shape extents = Shape.of(shape);
    Guarded memory = guard(name, offset, format.bytes(extents.elements()));
    MemorySegment bytes = arena.allocate(memory.bytes(), 64);
    fill(bytes, format, name, content, 0);
    memory.write(bytes);
    Tensor tensor = Tensor.of(name, memory.buffer(), offset, extents, format);
    watched.add(new Watched(name, tensor, tolerance, memory, false));
    return tensor;
  }

  // What the comparison calls.

  String name() {
    return source.name();
  }

  CommandBatch compile() {
    CommandBatch batch = recorder.end();
    compiled = backend.compile(batch, options);
    owned.add(compiled);
    bindings = batch.bindings();
    for (Input input : inputs) {
      bindings.set(input.tensor(), input.memory().buffer());
    }
    for (Watched output : watched) {
      if (output.output()) {
        bindings.set(output.tensor(), output.memory().buffer());
      }
    }
    return batch;
  }

  int submits() {
    return submits;
  }

  List<Watched> watched() {
    return watched;
  }

  String explain() {
    return compiled().explain();
  }

  /** Writes inputs, fills outputs with NaN and submits. */
  void submit(int number) {
    for (Input input : inputs) {
      MemorySegment bytes = arena.allocate(input.memory().bytes(), 64);
      fill(bytes, input.tensor().format(), input.tensor().name(), input.content(), number);
      input.memory().write(bytes);
    }
    for (Watched output : watched) {
      if (output.output()) {
        output.memory().fill(UNTOUCHED);
      }
    }
    Bindings values = bindings == null ? recorder.end().bindings() : bindings;
    counts.forEach((count, each) -> values.set(count, each[number % each.length]));
    Completion last = Completion.DONE;
    for (int i = 0; i < burst; i++) {
      last = compiled().submit(values);
    }
    last.await();
  }

  /** What is wrong outside of the outputs: sentinels overwritten, inputs changed. */
  List<String> damage() {
    List<String> damage = new ArrayList<>();
    guarded.forEach(memory -> memory.damage().ifPresent(damage::add));
    for (Input input : inputs) {
      if (!input.memory().unchanged()) {
        damage.add("input %s was written".formatted(input.tensor()));
      }
    }
    return damage;
  }

  @Override
  public void close() {
    for (AutoCloseable resource : owned.reversed()) {
      Closing.close(resource);
    }
    arena.close();
  }

  private CompiledBatch compiled() {
    if (compiled == null) {
      throw new IllegalStateException("scene: must be compiled first");
    }
    return compiled;
  }

  private Tensor adopt(String name, WeightFormat format, Shape shape, MemorySegment bytes) {
    Tensor tensor = backend.adopt(name, format, shape, bytes);
    owned.add((Buffer) tensor.storage());
    return tensor;
  }

  private Guarded guard(String name, long offset, long bytes) {
    Guarded memory = new Guarded(backend, name, offset, bytes);
    owned.add(memory);
    guarded.add(memory);
    return memory;
  }

  private void fill(
      MemorySegment target, WeightFormat format, String name, Content content, int submit) {
    Content.fill(target, format, content, submit, Seeds.of(source.name(), name, submit));
    if (mode == Mode.ABSOLUTE && !format.equals(WeightFormats.I32)) {
      for (int i = 0; i < target.byteSize() / format.blockBytes(); i++) {
        Numbers.set(target, format, i, Math.abs(Numbers.get(target, format, i)));
      }
    }
  }
}
