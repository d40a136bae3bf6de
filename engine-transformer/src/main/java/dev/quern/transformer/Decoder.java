package dev.quern.transformer;

import dev.quern.core.Backend;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.InsufficientMemoryException;
import dev.quern.core.Slot;
import dev.quern.core.StepTime;
import dev.quern.core.Tensor;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a network: compiles its batches when they are first needed, binds their slots, and reads
 * what their heads computed. One step at a time; every method is synchronised.
 */
final class Decoder implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Decoder.class.getName());

  /** Greedy steps that may be submitted before the first of their tokens is read. */
  static final int RUN_AHEAD = 8;

  /** The most rows whose logits are kept at a time. */
  static final int LOGIT_ROWS = 32;

  private static final Adapters NO_ADAPTERS = Adapters.ofAll(List.of());

  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Backend backend;
  private final CompileOptions options;
  private final Network network;
  private final int chunk;
  private final Arena arena = Arena.ofShared();
  private final Map<Key, Ready> batches = new HashMap<>();
  private final List<Buffer> buffers = new ArrayList<>();

  /** Tokens of step {@code i} of a greedy run; step {@code i} writes those of {@code i + 1}. */
  private final List<Buffer> tokens = new ArrayList<>();

  private final Buffer positions;
  private final Buffer sequences;
  private final Buffer selected;
  private final Map<String, Buffer> results = new HashMap<>();
  private final MemorySegment staging;

  /** Which rows run with adapter {@code i} of a step whose rows differ in them. */
  private final List<Buffer> uses = new ArrayList<>();

  private record Key(
      int capacity, int selected, Network.Head head, List<LoraAdapter> adapters, boolean differ) {}

  /** A compiled batch with its bindings. */
  private record Ready(CompiledBatch compiled, Bindings bindings) {
    Ready count(String name, int value) {
      for (Slot slot : compiled.batch().slots()) {
        if (slot instanceof Slot.Count count && count.name().equals(name)) {
          bindings.set(count, value);
        }
      }
      return this;
    }
  }

  Decoder(Backend backend, CompileOptions options, Network network, int chunk) {
    this.backend = backend;
    this.options = options;
    this.network = network;
    this.chunk = Integer.highestOneBit(Math.max(1, 2 * chunk - 1));
    long bytes = I32.byteSize() * this.chunk;
    staging = arena.allocate(bytes, 64);
    for (int step = 0; step <= RUN_AHEAD; step++) {
      tokens.add(allocate("tokens." + step, bytes));
    }
    positions = allocate("positions", bytes);
    sequences = allocate("sequences", bytes);
    selected = allocate("selected", bytes);
  }

  /** The most rows of a step. */
  int chunk() {
    return chunk;
  }

  int vocabulary() {
    return network.vocabulary();
  }

  /** Brings rows into the cache. */
  synchronized void feed(Rows rows) {
    submit(rows, new int[0], new Network.Head.None());
  }

  /** Brings rows into the cache and answers the most likely token after row {@code row}. */
  synchronized int greedy(Rows rows, int row) {
    submit(rows, new int[] {row}, new Network.Head.Greedy());
    return ints(tokens.get(1), 1)[0];
  }

  /** Brings rows into the cache and answers the logits after each of the given rows. */
  synchronized float[][] logits(Rows rows, int[] after) {
    submit(rows, after, new Network.Head.Logits());
    return floats(result("logits", 0), after.length, network.vocabulary());
  }

  /** Brings rows into the cache and answers the state after the final norm of each. */
  synchronized float[][] hidden(Rows rows) {
    int[] every = new int[rows.count()];
    for (int row = 0; row < every.length; row++) {
      every[row] = row;
    }
    submit(rows, every, new Network.Head.Hidden());
    return floats(result("hidden", 0), every.length, network.hidden());
  }

  private static float[][] floats(Buffer buffer, int rows, int columns) {
    float[] all = new float[rows * columns];
    buffer.read(0, MemorySegment.ofArray(all));
    float[][] values = new float[rows][];
    for (int row = 0; row < rows; row++) {
      values[row] = Arrays.copyOfRange(all, row * columns, (row + 1) * columns);
    }
    return values;
  }

  /** Gives back what was compiled with an adapter. */
  synchronized void forget(LoraAdapter adapter) {
    batches
        .entrySet()
        .removeIf(entry -> {
          boolean uses = entry.getKey().adapters.contains(adapter);
          if (uses) {
            entry.getValue().compiled.close();
          }
          return uses;
        });
  }

  /** Brings rows into the cache and answers the k largest logits after row {@code row}. */
  synchronized Sampler.Candidates largest(Rows rows, int row, int k) {
    submit(rows, new int[] {row}, new Network.Head.Largest(k));
    float[] values = new float[k];
    result("values", 0).read(0, MemorySegment.ofArray(values));
    return new Sampler.Candidates(ints(result("ids", 0), k), values);
  }

  /**
   * Runs {@code steps} greedy steps without waiting between them: the token that a step chooses
   * goes from device memory into the next step.
   *
   * @return the tokens chosen, step by step, row by row
   */
  synchronized int[][] greedyRun(Rows rows, int steps) {
    int count = rows.count();
    Ready ready =
        ready(capacity(count), capacity(count), new Network.Head.Greedy(), rows.adapters());
    writeUses(rows.adapters());
    int[] at = rows.positions().clone();
    write(tokens.get(0), rows.tokens());
    write(sequences, rows.sequences());
    for (int step = 0; step < steps; step++) {
      write(positions, at);
      bind(ready, tokens.get(step), tokens.get(step + 1));
      ready.count("rows", count).compiled.submit(ready.bindings);
      for (int row = 0; row < count; row++) {
        at[row]++;
      }
    }
    int[][] chosen = new int[steps][];
    for (int step = steps - 1; step >= 0; step--) {
      chosen[step] = ints(tokens.get(step + 1), count);
    }
    return chosen;
  }

  /** Runs rows as {@link #greedy} does, each step of the backend alone, and takes their times. */
  synchronized List<StepTime> profile(Rows rows) {
    int[] last = {rows.count() - 1};
    Ready ready = prepare(rows, last, new Network.Head.Greedy());
    return ready.compiled.profile(ready.bindings);
  }

  /**
   * Compiles the batches of a prompt of any length, and of decoding so many sequences. There must
   * be room for all of them beside each other.
   */
  synchronized void compileFor(int sequences) {
    int together = Math.min(chunk, capacity(sequences));
    for (Key key :
        List.of(
            new Key(chunk, 0, new Network.Head.None(), List.of(), false),
            new Key(chunk, 1, new Network.Head.Greedy(), List.of(), false),
            new Key(together, together, new Network.Head.Greedy(), List.of(), false))) {
      batches.computeIfAbsent(key, this::compile);
    }
  }

  /** What the backend made of the batches for one row, and for a prompt chunk. */
  synchronized String explain() {
    return ready(1, 1, new Network.Head.Greedy(), NO_ADAPTERS).compiled.explain()
        + "\n"
        + ready(chunk, 0, new Network.Head.None(), NO_ADAPTERS).compiled.explain();
  }

  private void submit(Rows rows, int[] after, Network.Head head) {
    Ready ready = prepare(rows, after, head);
    ready.compiled.submit(ready.bindings);
  }

  /** Writes and binds the inputs of a step. */
  private Ready prepare(Rows rows, int[] after, Network.Head head) {
    int capacity = capacity(rows.count());
    int selection = after.length == 0 ? 0 : capacity(after.length);
    boolean every = after.length == rows.count();
    Ready ready = ready(capacity, every ? capacity : selection, head, rows.adapters());
    write(tokens.get(0), rows.tokens());
    write(sequences, rows.sequences());
    write(positions, rows.positions());
    writeUses(rows.adapters());
    if (after.length > 0 && !every) {
      write(selected, after);
    }
    bind(ready, tokens.get(0), tokens.get(1));
    return ready.count("rows", rows.count()).count("selection", after.length);
  }

  private static void bind(Ready ready, Buffer from, Buffer to) {
    CommandBatch batch = ready.compiled.batch();
    ready.bindings.set(batch.tensor("tokens"), from);
    if (batch.outputs().containsKey("next")) {
      ready.bindings.set(batch.tensor("next"), to);
    }
  }

  private void writeUses(Adapters adapters) {
    for (int i = 0; i < adapters.rows().size(); i++) {
      write(uses.get(i), adapters.rows().get(i));
    }
  }

  private Ready ready(int capacity, int selection, Network.Head head, Adapters adapters) {
    Key key = new Key(capacity, selection, head, adapters.used(), adapters.differ());
    Ready known = batches.get(key);
    if (known != null) {
      return known;
    }
    Ready made;
    try {
      made = compile(key);
    } catch (InsufficientMemoryException e) {
      if (batches.isEmpty()) {
        throw e;
      }
      LOG.log(Level.INFO, "{0} batches make room for another: {1}", batches.size(), e.getMessage());
      batches.values().forEach(ready -> ready.compiled.close());
      batches.clear();
      made = compile(key);
    }
    batches.put(key, made);
    return made;
  }

  private Ready compile(Key key) {
    CommandBatch batch =
        network.record(key.capacity, key.selected, key.head, key.adapters, key.differ);
    Bindings bindings = batch.bindings();
    bindings.set(batch.tensor("positions"), positions);
    bindings.set(batch.tensor("sequences"), sequences);
    if (batch.inputs().containsKey("selected")) {
      bindings.set(batch.tensor("selected"), selected);
    }
    for (int i = 0; key.differ && i < key.adapters.size(); i++) {
      if (uses.size() <= i) {
        uses.add(allocate("uses." + i, positions.bytes()));
      }
      bindings.set(batch.tensor("uses." + i), uses.get(i));
    }
    batch.outputs().forEach((name, tensor) -> bindResult(bindings, name, tensor));
    return new Ready(backend.compile(batch, options), bindings);
  }

  private void bindResult(Bindings bindings, String name, Tensor tensor) {
    if (!name.equals("next")) {
      bindings.set(tensor, result(name, tensor.bytes()));
    }
  }

  /** The buffer of a result, grown where a batch needs more; earlier batches are bound anew. */
  private Buffer result(String name, long bytes) {
    Buffer buffer = results.get(name);
    if (buffer == null || buffer.bytes() < bytes) {
      Buffer grown = backend.allocate(name, bytes);
      results.put(name, grown);
      for (Ready ready : batches.values()) {
        if (ready.compiled.batch().outputs().containsKey(name)) {
          ready.bindings.set(ready.compiled.batch().tensor(name), grown);
        }
      }
      if (buffer != null) {
        buffer.close();
      }
      return grown;
    }
    return buffer;
  }

  /** The smallest power of two that holds {@code rows}. */
  private static int capacity(int rows) {
    return rows <= 1 ? 1 : Integer.highestOneBit(rows - 1) << 1;
  }

  private void write(Buffer buffer, int[] values) {
    MemorySegment bytes = staging.asSlice(0, I32.byteSize() * values.length);
    MemorySegment.copy(values, 0, bytes, I32, 0, values.length);
    buffer.write(0, bytes);
  }

  private int[] ints(Buffer buffer, int count) {
    int[] values = new int[count];
    MemorySegment bytes = arenaSlice(count);
    buffer.read(0, bytes);
    MemorySegment.copy(bytes, I32, 0, values, 0, count);
    return values;
  }

  private MemorySegment arenaSlice(int count) {
    long bytes = I32.byteSize() * count;
    return bytes <= staging.byteSize()
        ? staging.asSlice(0, bytes)
        : MemorySegment.ofArray(new int[count]);
  }

  private Buffer allocate(String name, long bytes) {
    Buffer buffer = backend.allocate(name, bytes);
    buffers.add(buffer);
    return buffer;
  }

  @Override
  public synchronized void close() {
    batches.values().forEach(ready -> ready.compiled.close());
    batches.clear();
    results.values().forEach(Buffer::close);
    results.clear();
    buffers.forEach(Buffer::close);
    arena.close();
  }
}
