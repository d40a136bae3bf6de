package dev.quern.bench;

import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClUnavailableException;
import dev.quern.opencl.jocl.JoclOpenCl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does a call of OpenCL cost through a binding? An argument, which never leaves the library;
 * an empty kernel, and four bytes read, each waited for. The limit is the same call from C.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class BindingBench {
  /** Which binding: {@code java.lang.foreign} or JOCL. */
  @Param({"ffm", "jocl"})
  public String binding = "ffm";

  private final Arena arena = Arena.ofShared();
  private final MemorySegment word = arena.allocate(4);
  private @Nullable OpenCl cl;
  private long context;
  private long queue;
  private long program;
  private long kernel;
  private long buffer;

  /** Made by JMH. */
  public BindingBench() {}

  /** Loads the binding and builds an empty kernel for the first device. */
  @Setup(Level.Trial)
  public void open() throws OpenClUnavailableException {
    OpenCl opened = load();
    cl = opened;
    long platform = opened.platforms()[0];
    long device = opened.devices(platform)[0];
    System.out.printf(
        "# path: %s on %s%n", opened.binding(), opened.deviceText(device, Cl.CL_DEVICE_NAME));
    context = opened.createContext(platform, device);
    queue = opened.createQueue(context, device, false);
    program = opened.createProgram(context, "kernel void empty(int ignored) {}");
    opened.build(program, device, "");
    kernel = opened.createKernel(program, "empty");
    opened.setInt(kernel, 0, 1);
    buffer = opened.createBuffer(context, Cl.CL_MEM_READ_WRITE, 4);
    opened.fill(queue, buffer, 0, 4, (byte) 1);
    opened.read(queue, buffer, 0, word);
    if (word.get(ValueLayout.JAVA_INT, 0) != 0x01010101) {
      throw new IllegalStateException("binding: the word read must be the one written");
    }
  }

  private OpenCl load() throws OpenClUnavailableException {
    return switch (binding) {
      case "ffm" -> FfmOpenCl.load();
      case "jocl" -> JoclOpenCl.load();
      default ->
          throw new IllegalArgumentException("binding: must be ffm or jocl but is " + binding);
    };
  }

  private OpenCl cl() {
    return Objects.requireNonNull(cl);
  }

  /** {@code clSetKernelArg} with an int. */
  @Benchmark
  public void argument() {
    cl().setInt(kernel, 0, 2);
  }

  /** {@code clEnqueueNDRangeKernel} of nothing, and {@code clFinish}. */
  @Benchmark
  public void emptyKernel() {
    cl().launch(queue, kernel, 1, 1);
    cl().finish(queue);
  }

  /** {@code clEnqueueReadBuffer} of four bytes, blocking. */
  @Benchmark
  public void smallRead() {
    cl().read(queue, buffer, 0, word);
  }

  /** Releases everything. */
  @TearDown(Level.Trial)
  public void close() {
    cl().releaseBuffer(buffer);
    cl().releaseKernel(kernel);
    cl().releaseProgram(program);
    cl().releaseQueue(queue);
    cl().releaseContext(context);
    arena.close();
  }
}
