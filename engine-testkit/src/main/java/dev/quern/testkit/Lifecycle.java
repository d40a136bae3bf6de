package dev.quern.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.ArrayMath;
import dev.quern.core.Backend;
import dev.quern.core.BatchRecorder;
import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Limits;
import dev.quern.core.Shape;
import dev.quern.core.Statistics;
import dev.quern.core.StepTime;
import dev.quern.core.Tensor;
import dev.quern.core.format.WeightFormats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;

/**
 * What a backend owes its users besides right numbers: counters, ownership, errors.
 *
 * @param backend a backend just opened
 * @param options how batches are compiled
 */
record Lifecycle(Backend backend, CompileOptions options) {
  /** Pools of threads, such as JOCL's, commonly wait half as long for more work. */
  private static final long THREADS_END_NANOS = 20_000_000_000L;

  private static final int ROWS = 2;
  private static final int LENGTH = 32;

  /** What int8 activations keep of small numbers. */
  private static final Offset<Float> CLOSE = Offset.offset(0.1f);

  /** {@code y = swish(x · wᵀ)} with its weight and buffers. */
  private final class Sample implements AutoCloseable {
    final Arena arena = Arena.ofShared();
    final Tensor weight;
    final CommandBatch batch;
    final Buffer x;
    final Buffer y;

    Sample() {
      MemorySegment bytes = arena.allocate(4L * LENGTH * LENGTH, 64);
      for (int i = 0; i < LENGTH; i++) {
        bytes.set(ValueLayout.JAVA_FLOAT, 4L * (i * LENGTH + i), 1 + i);
      }
      weight = backend.adopt("w", WeightFormats.F32, Shape.of(LENGTH, LENGTH), bytes);
      BatchRecorder recorder = CommandBatch.record("sample");
      Tensor input = recorder.input("x", Shape.of(ROWS, LENGTH));
      recorder.output("y", recorder.swish(recorder.matmul(input, weight)));
      batch = recorder.end();
      x = backend.allocate("x", 4L * ROWS * LENGTH);
      y = backend.allocate("y", 4L * ROWS * LENGTH);
    }

    CompiledBatch compile() {
      return backend.compile(batch, options);
    }

    Bindings bindings() {
      return batch.bindings().set(batch.tensor("x"), x).set(batch.tensor("y"), y);
    }

    /** Submits with all elements of x equal to {@code value} and checks one element of y. */
    void check(CompiledBatch compiled, float value) {
      x.write(0, words(value));
      compiled.submit(bindings()).await();
      MemorySegment result = words(0);
      y.read(0, result);
      double product = 3 * value;
      assertThat(result.getAtIndex(ValueLayout.JAVA_FLOAT, 2))
          .isCloseTo((float) (product / (1 + Math.exp(-product))), Percentage.withPercentage(2));
    }

    @Override
    public void close() {
      x.close();
      y.close();
      ((Buffer) weight.storage()).close();
      arena.close();
    }
  }

  private static MemorySegment words(float value) {
    float[] words = new float[ROWS * LENGTH];
    Arrays.fill(words, value);
    return MemorySegment.ofArray(words);
  }

  /** A backend says who it is. */
  void identity() {
    // A hybrid has the names of its two backends with a plus between them.
    assertThat(backend.name()).matches("[a-z0-9-]+(\\+[a-z0-9-]+)?");
    assertThat(backend.device().id()).startsWith(backend.name().split("\\+", 2)[0]);
    assertThat(backend.device().name()).isNotBlank();
    assertThat(backend.device().computeUnits()).isPositive();
  }

  /** A profile computes what a submit computes, and names each operation once. */
  void profile() {
    try (Sample sample = new Sample();
        CompiledBatch compiled = sample.compile()) {
      sample.check(compiled, 1);
      sample.x.write(0, words(2));
      sample.y.write(0, words(Float.NaN));
      List<StepTime> times = compiled.profile(sample.bindings());
      MemorySegment result = words(0);
      sample.y.read(0, result);
      assertThat(result.getAtIndex(ValueLayout.JAVA_FLOAT, 2))
          .isCloseTo((float) (6 / (1 + Math.exp(-6))), Percentage.withPercentage(2));
      assertThat(times.stream().flatMap(time -> time.ops().stream()).distinct())
          .containsExactlyInAnyOrderElementsOf(sample.batch.ops());
      assertThat(times).allSatisfy(time -> assertThat(time.nanos()).isNotNegative());
      assertThat(times.stream().mapToLong(StepTime::nanos).sum()).isPositive();
      sample.check(compiled, 3);
    }
  }

  /** Nothing reads slower than a tape or faster than any memory. */
  void limits() {
    Limits limits = backend.measureLimits();
    assertThat(limits.readBytesPerSecond()).isBetween(1e7, 1e14);
    assertThat(limits.flopsPerSecond()).isBetween(1e6, 1e16);
  }

  /** Uploads, builds and steps are events of the JDK Flight Recorder. */
  void flightRecorder() {
    try (RecordingStream recording = new RecordingStream()) {
      List<RecordedEvent> events = Collections.synchronizedList(new ArrayList<>());
      for (String name : List.of("quern.Upload", "quern.Step")) {
        recording.enable(name);
        recording.onEvent(name, events::add);
      }
      recording.startAsync();
      try (Sample sample = new Sample();
          CompiledBatch compiled = sample.compile()) {
        sample.check(compiled, 1);
      }
      recording.stop();
      // Of a hybrid they are events of its two backends.
      List<String> names = List.of(backend.name().split("\\+", 2));
      assertThat(events.stream().filter(event -> names.contains(event.getString("backend"))))
          .as("events of %s", backend.name())
          .extracting(event -> event.getEventType().getName())
          .contains("quern.Upload", "quern.Step");
      RecordedEvent upload = first(events, "quern.Upload");
      assertThat(upload.getString("tensor")).isEqualTo("w");
      assertThat(upload.getLong("bytes")).isEqualTo(4L * LENGTH * LENGTH);
      RecordedEvent step = first(events, "quern.Step");
      assertThat(step.getString("batch")).isEqualTo("sample");
      assertThat(step.getLong("weightBytes")).isEqualTo(4L * LENGTH * LENGTH);
    }
  }

  private static RecordedEvent first(List<RecordedEvent> events, String type) {
    return events.stream()
        .filter(event -> event.getEventType().getName().equals(type))
        .findFirst()
        .orElseThrow();
  }

  /** Every counter moves by what was done, and live objects return to none. */
  void counters() {
    Statistics opened = backend.statistics();
    assertThat(opened.liveBuffers()).isZero();
    assertThat(opened.liveBatches()).isZero();
    try (Sample sample = new Sample()) {
      Statistics made = backend.statistics();
      assertThat(made.adoptedBytes() - opened.adoptedBytes()).isEqualTo(4L * LENGTH * LENGTH);
      assertThat(made.liveBuffers()).isEqualTo(3);
      try (CompiledBatch compiled = sample.compile()) {
        assertThat(backend.statistics().liveBatches()).isEqualTo(1);
        assertThat(compiled.batch()).isSameAs(sample.batch);
        assertThat(compiled.explain()).isNotBlank();
        sample.check(compiled, 1);
        Statistics first = backend.statistics();
        assertThat(first.submits() - made.submits()).isEqualTo(1);
        assertThat(first.weightBytesRead() - made.weightBytesRead())
            .as("weight bytes read by a submit")
            .isEqualTo(4L * LENGTH * LENGTH);
        Bindings bindings = sample.bindings();
        for (int i = 0; i < 10; i++) {
          compiled.submit(bindings).await();
        }
        Statistics later = backend.statistics();
        assertThat(later.submits() - first.submits()).isEqualTo(10);
        assertThat(later.builds()).as("programs built by later submits").isEqualTo(first.builds());
        assertThat(later.adoptedBytes()).isEqualTo(first.adoptedBytes());
        assertThat(later.waits() - first.waits()).as("waits of 10 submits").isBetween(0L, 10L);
        assertThat(later.hostSteps()).isEqualTo(first.hostSteps());
        assertThat(later.fallbacks()).isEqualTo(opened.fallbacks());
      }
    }
    Statistics closed = backend.statistics();
    assertThat(closed.liveBuffers()).isZero();
    assertThat(closed.liveBatches()).isZero();
    assertThat(closed.residentBytes()).isLessThanOrEqualTo(opened.residentBytes());
  }

  /** Closing twice does nothing; using what is closed throws. */
  void closing() {
    Sample sample = new Sample();
    CompiledBatch compiled = sample.compile();
    sample.check(compiled, 2);
    compiled.close();
    compiled.close();
    Bindings bindings = sample.bindings();
    refusesWhatIsClosed("submit of a closed batch", () -> compiled.submit(bindings));
    sample.x.close();
    sample.x.close();
    refusesWhatIsClosed("write to a closed buffer", () -> sample.x.write(0, words(0)));
    refusesWhatIsClosed("read of a closed buffer", () -> sample.x.read(0, words(0)));
    sample.compile(); // left open: the backend closes it
    backend.close();
    backend.close();
    refusesWhatIsClosed("allocate on a closed backend", () -> backend.allocate("late", 4));
    refusesWhatIsClosed("compile on a closed backend", sample::compile);
    sample.close();
  }

  private static void refusesWhatIsClosed(String what, ThrowingCallable use) {
    assertThatThrownBy(use)
        .as(what)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  /** Wrong use throws, and the backend works on. */
  void errors() {
    try (Sample sample = new Sample();
        CompiledBatch compiled = sample.compile();
        Arena arena = Arena.ofConfined()) {
      Bindings unbound = sample.batch.bindings().set(sample.batch.tensor("x"), sample.x);
      assertThatThrownBy(() -> compiled.submit(unbound))
          .as("submit with an unbound slot")
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be bound");
      try (Sample other = new Sample()) {
        Bindings foreign = other.bindings();
        assertThatThrownBy(() -> compiled.submit(foreign))
            .as("submit with the bindings of another batch")
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThatThrownBy(
              () -> backend.adopt("short", WeightFormats.F32, Shape.of(2, 2), arena.allocate(12)))
          .as("adopt with the wrong size")
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("short");
      assertThatThrownBy(() -> sample.x.write(4, words(0)))
          .as("write beyond the end")
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> sample.x.read(-4, words(0)))
          .as("read before the start")
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ((Buffer) sample.weight.storage()).write(0, words(0)))
          .as("write to adopted weights")
          .isInstanceOf(IllegalStateException.class);
      sample.check(compiled, 1);
    }
    assertThat(backend.statistics().liveBuffers()).isZero();
  }

  /** A new buffer holds zeros, and any range of it can be written and read. */
  void buffers() {
    try (Buffer buffer = backend.allocate("buffer", 1003)) {
      assertThat(buffer.name()).isEqualTo("buffer");
      assertThat(buffer.bytes()).isEqualTo(1003);
      byte[] held = new byte[1003];
      buffer.read(0, MemorySegment.ofArray(held));
      assertThat(held).containsOnly(0);
      byte[] part = {1, 2, 3, 4, 5};
      buffer.write(499, MemorySegment.ofArray(part));
      byte[] found = new byte[7];
      buffer.read(498, MemorySegment.ofArray(found));
      assertThat(found).containsExactly(0, 1, 2, 3, 4, 5, 0);
    }
  }

  /** The façade for plain arrays, which leaves nothing behind. */
  void arrays() {
    float[] x = {1, 2, 3, 4, 5, 6};
    float[] w = {1, 0, 0, 0, 2, 0, 1, 1, 1};
    ArrayMath math = new ArrayMath(backend, options.precision());
    assertThat(math.matmul(x, w, 2, 3, 3)).containsExactly(new float[] {1, 4, 6, 4, 10, 15}, CLOSE);
    assertThat(math.mul(x, x)).containsExactly(new float[] {1, 4, 9, 16, 25, 36}, CLOSE);
    assertThat(math.swish(new float[] {0, 50})).containsExactly(new float[] {0, 50}, CLOSE);
    assertThat(backend.statistics().liveBuffers()).isZero();
    assertThat(backend.statistics().liveBatches()).isZero();
  }

  /** Batches of several threads at once. */
  void threads() {
    try (Sample one = new Sample();
        Sample two = new Sample();
        CompiledBatch first = one.compile();
        CompiledBatch second = two.compile()) {
      List<CompletableFuture<Void>> running = new ArrayList<>();
      running.add(CompletableFuture.runAsync(() -> repeat(one, first)));
      running.add(CompletableFuture.runAsync(() -> repeat(two, second)));
      running.forEach(CompletableFuture::join);
    }
  }

  private static void repeat(Sample sample, CompiledBatch compiled) {
    for (int i = 1; i <= 20; i++) {
      sample.check(compiled, i);
    }
  }

  /** A thousand batches compiled, run and closed leave nothing behind. */
  void thousandBatches() {
    OptionalLong resident = OptionalLong.empty();
    int threads = 0;
    for (int i = 1; i <= 1000; i++) {
      try (Sample sample = new Sample();
          CompiledBatch compiled = sample.compile()) {
        sample.check(compiled, i % 5);
      }
      if (i % 100 == 0) {
        System.gc(); // so that the heap does not wander over fresh pages
      }
      if (i == 100) {
        resident = residentBytes();
        threads = Thread.getAllStackTraces().size();
      }
    }
    Statistics statistics = backend.statistics();
    assertThat(statistics.liveBuffers()).isZero();
    assertThat(statistics.liveBatches()).isZero();
    assertThat(threadsLeft(threads)).as("threads").isLessThanOrEqualTo(threads);
    OptionalLong now = residentBytes();
    if (resident.isPresent() && now.isPresent()) {
      assertThat((now.getAsLong() - resident.getAsLong()) >> 20)
          .as("growth of resident memory from batch 100 to 1,000 in MiB")
          .isLessThanOrEqualTo(32);
    }
  }

  /** Threads, when there are no more than before or a library has had the time to end its own. */
  private static int threadsLeft(int before) {
    long end = System.nanoTime() + THREADS_END_NANOS;
    while (Thread.getAllStackTraces().size() > before && System.nanoTime() < end) {
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return Thread.getAllStackTraces().size();
  }

  /** Resident memory of this process, where the system tells. */
  private static OptionalLong residentBytes() {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return OptionalLong.empty();
    }
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
