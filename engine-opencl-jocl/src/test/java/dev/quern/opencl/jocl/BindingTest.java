package dev.quern.opencl.jocl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.FfmOpenCl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClBuildException;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClStatus;
import dev.quern.opencl.binding.OpenClUnavailableException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Every operation of both bindings, on the first device. */
@ParameterizedClass
@EnumSource
class BindingTest {
  private static final String DOUBLE =
      "kernel void twice(global const int *in, global int *out, int add, local int *tmp) {"
          + " int i = get_global_id(0); tmp[get_local_id(0)] = in[i];"
          + " out[i] = 2 * tmp[get_local_id(0)] + add; }";

  /** What is tested. */
  enum Binding {
    FFM,
    JOCL;

    OpenCl load() throws OpenClUnavailableException {
      return switch (this) {
        case FFM -> FfmOpenCl.load();
        case JOCL -> JoclOpenCl.load();
      };
    }
  }

  private final Binding binding;
  private OpenCl cl;
  private long platform;
  private long device;
  private long context;
  private long queue;

  BindingTest(Binding binding) {
    this.binding = binding;
  }

  @BeforeEach
  void open() throws OpenClUnavailableException {
    Requirements.device();
    cl = binding.load();
    platform = cl.platforms()[0];
    device = cl.devices(platform)[0];
    context = cl.createContext(platform, device);
    queue = cl.createQueue(context, device, true);
  }

  @AfterEach
  void close() {
    if (queue != 0) {
      cl.releaseQueue(queue);
      cl.releaseContext(context);
    }
  }

  @Test
  void describesDevices() {
    assertThat(cl.binding()).isEqualTo(binding.name().toLowerCase(Locale.ROOT));
    assertThat(cl.platformText(platform, Cl.CL_PLATFORM_VERSION)).startsWith("OpenCL");
    assertThat(cl.deviceText(device, Cl.CL_DEVICE_NAME)).isNotBlank();
    assertThat(cl.deviceNumber(device, Cl.CL_DEVICE_MAX_COMPUTE_UNITS)).isPositive();
    assertThat(cl.deviceNumber(device, Cl.CL_DEVICE_GLOBAL_MEM_SIZE)).isGreaterThan(1L << 20);
    assertThat(cl.deviceNumber(device, Cl.CL_DEVICE_MAX_WORK_GROUP_SIZE)).isPositive();
  }

  @Test
  void movesBytes() {
    long buffer = cl.createBuffer(context, Cl.CL_MEM_READ_WRITE | Cl.CL_MEM_ALLOC_HOST_PTR, 64);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_BYTE, new byte[] {1, 2, 3, 4});
      cl.fill(queue, buffer, 0, 64, (byte) 9);
      finish(cl.writeAsync(queue, buffer, 8, host));
      cl.copy(queue, buffer, 8, buffer, 32, 4);
      MemorySegment all = arena.allocate(64);
      finish(cl.readAsync(queue, buffer, 0, all));
      byte[] expected = new byte[64];
      Arrays.fill(expected, (byte) 9);
      for (byte i = 0; i < 4; i++) {
        expected[8 + i] = (byte) (i + 1);
        expected[32 + i] = (byte) (i + 1);
      }
      assertThat(all.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);

      MemorySegment mapped = cl.map(queue, buffer, Cl.CL_MAP_READ | Cl.CL_MAP_WRITE, 8, 4);
      assertThat(mapped.toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4);
      mapped.set(ValueLayout.JAVA_BYTE, 0, (byte) 77);
      cl.unmap(queue, buffer, mapped);
      MemorySegment one = arena.allocate(1);
      cl.read(queue, buffer, 8, one);
      assertThat(one.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 77);
    } finally {
      cl.releaseBuffer(buffer);
    }
  }

  @Test
  void buildsAndRuns() {
    long program = cl.createProgram(context, DOUBLE);
    cl.build(program, device, "-cl-std=CL1.2");
    byte[] binary = cl.binary(program);
    cl.releaseProgram(program);
    assertThat(binary).isNotEmpty();

    program = cl.createProgram(context, device, binary);
    cl.build(program, device, "");
    long kernel = cl.createKernel(program, "twice");
    assertThat(cl.kernelNumber(kernel, device, Cl.CL_KERNEL_WORK_GROUP_SIZE)).isPositive();
    long in = cl.createBuffer(context, Cl.CL_MEM_READ_ONLY, 32);
    long out = cl.createBuffer(context, Cl.CL_MEM_READ_WRITE, 32);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_INT, 1, 2, 3, 4, 5, 6, 7, 8);
      cl.write(queue, in, 0, values);
      cl.setBuffer(kernel, 0, in);
      cl.setBuffer(kernel, 1, out);
      cl.setInt(kernel, 2, 100);
      cl.setLocal(kernel, 3, 16);
      cl.launch(queue, kernel, 8, 4);
      long event = cl.launchWithEvent(queue, kernel, 8, 4);
      cl.flush(queue);
      cl.await(event);
      assertThat(cl.completed(event)).isTrue();
      assertThat(cl.profilingTime(event, Cl.CL_PROFILING_COMMAND_END))
          .isGreaterThanOrEqualTo(cl.profilingTime(event, Cl.CL_PROFILING_COMMAND_START));
      cl.releaseEvent(event);
      finish(cl.marker(queue));
      cl.read(queue, out, 0, values);
      assertThat(values.toArray(ValueLayout.JAVA_INT))
          .containsExactly(102, 104, 106, 108, 110, 112, 114, 116);
    } finally {
      cl.releaseBuffer(in);
      cl.releaseBuffer(out);
      cl.releaseKernel(kernel);
      cl.releaseProgram(program);
    }
  }

  @Test
  void aBuildFailureCarriesTheLog() {
    long program = cl.createProgram(context, "kernel void broken() { no_such_thing; }");
    try {
      assertThatThrownBy(() -> cl.build(program, device, ""))
          .isInstanceOf(OpenClBuildException.class)
          .hasMessageContaining("clBuildProgram")
          .hasMessageContaining("CL_BUILD_PROGRAM_FAILURE (-11)")
          .hasMessageContaining("no_such_thing");
    } finally {
      cl.releaseProgram(program);
    }
  }

  @Test
  void aFailureNamesCallArgumentsAndStatus() {
    assertThatThrownBy(() -> cl.createBuffer(context, Cl.CL_MEM_READ_WRITE, 0))
        .isInstanceOfSatisfying(
            OpenClException.class,
            e -> assertThat(e.status()).isEqualTo(OpenClStatus.INVALID_BUFFER_SIZE))
        .hasMessageStartingWith("clCreateBuffer(")
        .hasMessageContaining(", 0): CL_INVALID_BUFFER_SIZE (-61)");
  }

  private void finish(long event) {
    cl.await(event);
    cl.releaseEvent(event);
    cl.finish(queue);
  }
}
