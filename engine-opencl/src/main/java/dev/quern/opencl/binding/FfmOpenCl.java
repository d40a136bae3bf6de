package dev.quern.opencl.binding;

import static dev.quern.opencl.binding.FfmCalls.call;
import static dev.quern.opencl.binding.FfmCalls.check;
import static dev.quern.opencl.binding.FfmCalls.number;
import static dev.quern.opencl.binding.FfmCalls.release;
import static dev.quern.opencl.binding.FfmCalls.rethrow;
import static dev.quern.opencl.binding.FfmCalls.text;
import static dev.quern.opencl.binding.OpenClException.check;
import static dev.quern.opencl.binding.OpenClException.describe;
import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@link OpenCl} through {@code java.lang.foreign}: no JNI and no C code of our own. */
public final class FfmOpenCl implements OpenCl {
  private final Symbols cl;

  private FfmOpenCl(Symbols cl) {
    this.cl = cl;
  }

  /**
   * Loads the OpenCL library of this machine.
   *
   * @throws OpenClUnavailableException if there is none; the message names what to install
   */
  public static OpenCl load() throws OpenClUnavailableException {
    var names = OpenClLibrary.names(System.getProperty("os.name", ""));
    return new FfmOpenCl(Symbols.link(OpenClLibrary.open(names)));
  }

  @Override
  public String binding() {
    return "ffm";
  }

  @Override
  public long[] platforms() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      int status = (int) cl.clGetPlatformIDs().invokeExact(0, NULL, count);
      if (status == OpenClStatus.PLATFORM_NOT_FOUND_KHR) {
        return new long[0];
      }
      check(status, "clGetPlatformIDs");
      int n = count.get(JAVA_INT, 0);
      if (n == 0) {
        return new long[0];
      }
      MemorySegment ids = arena.allocate(JAVA_LONG, n);
      check((int) cl.clGetPlatformIDs().invokeExact(n, ids, NULL), "clGetPlatformIDs");
      return ids.toArray(JAVA_LONG);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long[] devices(long platform) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      int status =
          (int) cl.clGetDeviceIDs().invokeExact(platform, Cl.CL_DEVICE_TYPE_ALL, 0, NULL, count);
      if (status == OpenClStatus.DEVICE_NOT_FOUND) {
        return new long[0];
      }
      check(status, "clGetDeviceIDs", platform);
      int n = count.get(JAVA_INT, 0);
      MemorySegment ids = arena.allocate(JAVA_LONG, n);
      status = (int) cl.clGetDeviceIDs().invokeExact(platform, Cl.CL_DEVICE_TYPE_ALL, n, ids, NULL);
      check(status, "clGetDeviceIDs", platform);
      return ids.toArray(JAVA_LONG);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public String platformText(long platform, int property) {
    return text(cl.clGetPlatformInfo(), "clGetPlatformInfo", platform, property);
  }

  @Override
  public String deviceText(long device, int property) {
    return text(cl.clGetDeviceInfo(), "clGetDeviceInfo", device, property);
  }

  @Override
  public long deviceNumber(long device, int property) {
    return number(cl.clGetDeviceInfo(), "clGetDeviceInfo", device, property);
  }

  @Override
  public long createContext(long platform, long device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment properties = arena.allocateFrom(JAVA_LONG, Cl.CL_CONTEXT_PLATFORM, platform, 0);
      MemorySegment devices = arena.allocateFrom(JAVA_LONG, device);
      MemorySegment status = arena.allocate(JAVA_INT);
      long context =
          (long) cl.clCreateContext().invokeExact(properties, 1, devices, NULL, NULL, status);
      check(status, "clCreateContext", device);
      return context;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void releaseContext(long context) {
    release(cl.clReleaseContext(), "clReleaseContext", context);
  }

  @Override
  public long createQueue(long context, long device, boolean profiling) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(JAVA_INT);
      long flags = profiling ? Cl.CL_QUEUE_PROFILING_ENABLE : 0L;
      long queue = (long) cl.clCreateCommandQueue().invokeExact(context, device, flags, status);
      check(status, "clCreateCommandQueue", context, device, flags);
      return queue;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void releaseQueue(long queue) {
    release(cl.clReleaseCommandQueue(), "clReleaseCommandQueue", queue);
  }

  @Override
  public void flush(long queue) {
    call(cl.clFlush(), "clFlush", queue);
  }

  @Override
  public void finish(long queue) {
    call(cl.clFinish(), "clFinish", queue);
  }

  @Override
  public long createBuffer(long context, long flags, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(JAVA_INT);
      long buffer = (long) cl.clCreateBuffer().invokeExact(context, flags, bytes, NULL, status);
      check(status, "clCreateBuffer", context, flags, bytes);
      return buffer;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void releaseBuffer(long buffer) {
    release(cl.clReleaseMemObject(), "clReleaseMemObject", buffer);
  }

  @Override
  public void write(long queue, long buffer, long offset, MemorySegment source) {
    transfer(
        cl.clEnqueueWriteBuffer(), "clEnqueueWriteBuffer", queue, buffer, true, offset, source);
  }

  @Override
  public long writeAsync(long queue, long buffer, long offset, MemorySegment source) {
    return transfer(
        cl.clEnqueueWriteBuffer(), "clEnqueueWriteBuffer", queue, buffer, false, offset, source);
  }

  @Override
  public void read(long queue, long buffer, long offset, MemorySegment target) {
    transfer(cl.clEnqueueReadBuffer(), "clEnqueueReadBuffer", queue, buffer, true, offset, target);
  }

  @Override
  public long readAsync(long queue, long buffer, long offset, MemorySegment target) {
    return transfer(
        cl.clEnqueueReadBuffer(), "clEnqueueReadBuffer", queue, buffer, false, offset, target);
  }

  private static long transfer(
      MethodHandle handle,
      String name,
      long queue,
      long buffer,
      boolean blocking,
      long offset,
      MemorySegment host) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = blocking ? NULL : arena.allocate(JAVA_LONG);
      int wait = blocking ? 1 : 0;
      int status =
          (int)
              handle.invokeExact(
                  queue, buffer, wait, offset, host.byteSize(), host, 0, NULL, event);
      check(status, name, queue, buffer, wait, offset, host.byteSize());
      return blocking ? 0 : event.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void copy(long queue, long from, long fromOffset, long to, long toOffset, long bytes) {
    try {
      int status =
          (int)
              cl.clEnqueueCopyBuffer()
                  .invokeExact(queue, from, to, fromOffset, toOffset, bytes, 0, NULL, NULL);
      check(status, "clEnqueueCopyBuffer", queue, from, to, fromOffset, toOffset, bytes);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void fill(long queue, long buffer, long offset, long bytes, byte value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pattern = arena.allocateFrom(JAVA_BYTE, value);
      int status =
          (int)
              cl.clEnqueueFillBuffer()
                  .invokeExact(queue, buffer, pattern, 1L, offset, bytes, 0, NULL, NULL);
      check(status, "clEnqueueFillBuffer", queue, buffer, offset, bytes);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  @SuppressWarnings("restricted")
  public MemorySegment map(long queue, long buffer, long flags, long offset, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(JAVA_INT);
      MemorySegment mapped =
          (MemorySegment)
              cl.clEnqueueMapBuffer()
                  .invokeExact(queue, buffer, 1, flags, offset, bytes, 0, NULL, NULL, status);
      check(status, "clEnqueueMapBuffer", queue, buffer, flags, offset, bytes);
      return mapped.reinterpret(bytes);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void unmap(long queue, long buffer, MemorySegment mapped) {
    try {
      int status =
          (int) cl.clEnqueueUnmapMemObject().invokeExact(queue, buffer, mapped, 0, NULL, NULL);
      check(status, "clEnqueueUnmapMemObject", queue, buffer, mapped.address());
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long createProgram(long context, String source) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(source);
      MemorySegment texts = arena.allocateFrom(ADDRESS, text);
      MemorySegment status = arena.allocate(JAVA_INT);
      long program =
          (long) cl.clCreateProgramWithSource().invokeExact(context, 1, texts, NULL, status);
      check(status, "clCreateProgramWithSource", context);
      return program;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long createProgram(long context, long device, byte[] binary) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, binary);
      MemorySegment devices = arena.allocateFrom(JAVA_LONG, device);
      MemorySegment sizes = arena.allocateFrom(JAVA_LONG, binary.length);
      MemorySegment binaries = arena.allocateFrom(ADDRESS, bytes);
      MemorySegment each = arena.allocate(JAVA_INT);
      MemorySegment status = arena.allocate(JAVA_INT);
      long program =
          (long)
              cl.clCreateProgramWithBinary()
                  .invokeExact(context, 1, devices, sizes, binaries, each, status);
      check(status, "clCreateProgramWithBinary", context, device, binary.length);
      if (each.get(JAVA_INT, 0) != OpenClStatus.SUCCESS) {
        releaseProgram(program);
        check(each, "clCreateProgramWithBinary", context, device, binary.length);
      }
      return program;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void build(long program, long device, String options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment devices = arena.allocateFrom(JAVA_LONG, device);
      MemorySegment text = arena.allocateFrom(options);
      int status = (int) cl.clBuildProgram().invokeExact(program, 1, devices, text, NULL, NULL);
      if (status != OpenClStatus.SUCCESS) {
        throw new OpenClBuildException(
            describe("clBuildProgram", program, device) + " with options \"" + options + "\"",
            status,
            buildLog(program, device));
      }
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public String buildLog(long program, long device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      MethodHandle query = cl.clGetProgramBuildInfo();
      int status =
          (int) query.invokeExact(program, device, Cl.CL_PROGRAM_BUILD_LOG, 0L, NULL, size);
      check(status, "clGetProgramBuildInfo", program, device);
      long bytes = size.get(JAVA_LONG, 0);
      MemorySegment log = arena.allocate(bytes + 1);
      status = (int) query.invokeExact(program, device, Cl.CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
      check(status, "clGetProgramBuildInfo", program, device);
      return log.getString(0);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public byte[] binary(long program) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      MethodHandle query = cl.clGetProgramInfo();
      int status = (int) query.invokeExact(program, Cl.CL_PROGRAM_BINARY_SIZES, 8L, size, NULL);
      check(status, "clGetProgramInfo", program, Cl.CL_PROGRAM_BINARY_SIZES);
      MemorySegment bytes = arena.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
      MemorySegment pointers = arena.allocateFrom(ADDRESS, bytes);
      status = (int) query.invokeExact(program, Cl.CL_PROGRAM_BINARIES, 8L, pointers, NULL);
      check(status, "clGetProgramInfo", program, Cl.CL_PROGRAM_BINARIES);
      return bytes.asSlice(0, size.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void releaseProgram(long program) {
    release(cl.clReleaseProgram(), "clReleaseProgram", program);
  }

  @Override
  public long createKernel(long program, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      MemorySegment status = arena.allocate(JAVA_INT);
      long kernel = (long) cl.clCreateKernel().invokeExact(program, text, status);
      check(status, "clCreateKernel[" + name + "]", program);
      return kernel;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void releaseKernel(long kernel) {
    release(cl.clReleaseKernel(), "clReleaseKernel", kernel);
  }

  @Override
  public void setBuffer(long kernel, int index, long buffer) {
    try (Arena arena = Arena.ofConfined()) {
      setArgument(kernel, index, 8, arena.allocateFrom(JAVA_LONG, buffer));
    }
  }

  @Override
  public void setInt(long kernel, int index, int value) {
    try (Arena arena = Arena.ofConfined()) {
      setArgument(kernel, index, 4, arena.allocateFrom(JAVA_INT, value));
    }
  }

  @Override
  public void setLocal(long kernel, int index, long bytes) {
    setArgument(kernel, index, bytes, NULL);
  }

  private void setArgument(long kernel, int index, long bytes, MemorySegment value) {
    try {
      int status = (int) cl.clSetKernelArg().invokeExact(kernel, index, bytes, value);
      check(status, "clSetKernelArg", kernel, index, bytes);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long kernelNumber(long kernel, long device, int property) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      int status =
          (int)
              cl.clGetKernelWorkGroupInfo().invokeExact(kernel, device, property, 8L, value, NULL);
      check(status, "clGetKernelWorkGroupInfo", kernel, device, property);
      return value.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void launch(long queue, long kernel, long global, long local) {
    launch(queue, kernel, global, local, NULL);
  }

  @Override
  public long launchWithEvent(long queue, long kernel, long global, long local) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(JAVA_LONG);
      launch(queue, kernel, global, local, event);
      return event.get(JAVA_LONG, 0);
    }
  }

  private void launch(long queue, long kernel, long global, long local, MemorySegment event) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sizes = arena.allocateFrom(JAVA_LONG, global, local);
      int status =
          (int)
              cl.clEnqueueNDRangeKernel()
                  .invokeExact(queue, kernel, 1, NULL, sizes, sizes.asSlice(8), 0, NULL, event);
      check(status, "clEnqueueNDRangeKernel", queue, kernel, global, local);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long marker(long queue) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(JAVA_LONG);
      int status = (int) cl.clEnqueueMarkerWithWaitList().invokeExact(queue, 0, NULL, event);
      check(status, "clEnqueueMarkerWithWaitList", queue);
      return event.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void await(long event) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocateFrom(JAVA_LONG, event);
      check((int) cl.clWaitForEvents().invokeExact(1, events), "clWaitForEvents", event);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public boolean completed(long event) {
    int property = Cl.CL_EVENT_COMMAND_EXECUTION_STATUS;
    int status = (int) number(cl.clGetEventInfo(), "clGetEventInfo", event, property);
    if (status < 0) {
      throw new OpenClException(describe("clGetEventInfo", event), status);
    }
    return status == 0;
  }

  @Override
  public long profilingTime(long event, int property) {
    return number(cl.clGetEventProfilingInfo(), "clGetEventProfilingInfo", event, property);
  }

  @Override
  public void releaseEvent(long event) {
    release(cl.clReleaseEvent(), "clReleaseEvent", event);
  }
}
