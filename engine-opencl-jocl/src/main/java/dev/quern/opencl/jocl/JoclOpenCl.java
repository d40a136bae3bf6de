package dev.quern.opencl.jocl;

import static dev.quern.opencl.binding.OpenClException.check;
import static dev.quern.opencl.binding.OpenClException.describe;

import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClBuildException;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClStatus;
import dev.quern.opencl.binding.OpenClUnavailableException;
import dev.quern.opencl.binding.Releases;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;
import org.jspecify.annotations.Nullable;

/**
 * {@link OpenCl} through JOCL, which is JNI.
 *
 * <p>JOCL takes host memory as {@link ByteBuffer}s of less than 2 GiB, so larger segments go in
 * pieces, and keeps the buffer of a call that does not wait by a thread that waits for it.
 */
public final class JoclOpenCl implements OpenCl {
  /** Host memory of one call: a whole number of pages below what a {@link ByteBuffer} holds. */
  private static final long PIECE_BYTES = 1L << 30;

  private final Handles<cl_platform_id> platforms = new Handles<>("platform");
  private final Handles<cl_device_id> devices = new Handles<>("device");
  private final Handles<cl_context> contexts = new Handles<>("context");
  private final Handles<cl_command_queue> queues = new Handles<>("queue");
  private final Handles<cl_mem> buffers = new Handles<>("buffer");
  private final Handles<cl_program> programs = new Handles<>("program");
  private final Handles<cl_kernel> kernels = new Handles<>("kernel");
  private final Handles<cl_event> events = new Handles<>("event");
  private final long pieceBytes;

  JoclOpenCl(long pieceBytes) {
    this.pieceBytes = pieceBytes;
  }

  /**
   * Loads JOCL and the OpenCL library of this machine.
   *
   * @throws OpenClUnavailableException if either cannot be; the message names what would help
   */
  public static OpenCl load() throws OpenClUnavailableException {
    JoclLibrary.load();
    return new JoclOpenCl(PIECE_BYTES);
  }

  @Override
  public String binding() {
    return "jocl";
  }

  // ---- platforms and devices

  @Override
  public long[] platforms() {
    int[] count = new int[1];
    int status = CL.clGetPlatformIDs(0, null, count);
    if (status == OpenClStatus.PLATFORM_NOT_FOUND_KHR) {
      return new long[0];
    }
    check(status, "clGetPlatformIDs");
    cl_platform_id[] found = new cl_platform_id[count[0]];
    if (found.length > 0) {
      check(CL.clGetPlatformIDs(found.length, found, null), "clGetPlatformIDs");
    }
    return Stream.of(found).mapToLong(platforms::add).toArray();
  }

  @Override
  public String platformText(long platform, int property) {
    cl_platform_id id = platforms.get(platform);
    return text(
        (bytes, value, size) -> CL.clGetPlatformInfo(id, property, bytes, value, size),
        "clGetPlatformInfo",
        platform,
        property);
  }

  @Override
  public long[] devices(long platform) {
    cl_platform_id id = platforms.get(platform);
    int[] count = new int[1];
    int status = CL.clGetDeviceIDs(id, Cl.CL_DEVICE_TYPE_ALL, 0, null, count);
    if (status == OpenClStatus.DEVICE_NOT_FOUND) {
      return new long[0];
    }
    check(status, "clGetDeviceIDs", platform);
    cl_device_id[] found = new cl_device_id[count[0]];
    status = CL.clGetDeviceIDs(id, Cl.CL_DEVICE_TYPE_ALL, found.length, found, null);
    check(status, "clGetDeviceIDs", platform);
    return Stream.of(found).mapToLong(devices::add).toArray();
  }

  @Override
  public String deviceText(long device, int property) {
    cl_device_id id = devices.get(device);
    return text(
        (bytes, value, size) -> CL.clGetDeviceInfo(id, property, bytes, value, size),
        "clGetDeviceInfo",
        device,
        property);
  }

  @Override
  public long deviceNumber(long device, int property) {
    cl_device_id id = devices.get(device);
    return number(
        (bytes, value, size) -> CL.clGetDeviceInfo(id, property, bytes, value, size),
        "clGetDeviceInfo",
        device,
        property);
  }

  // ---- context and queue

  @Override
  public long createContext(long platform, long device) {
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(Cl.CL_CONTEXT_PLATFORM, platforms.get(platform));
    cl_device_id[] list = {devices.get(device)};
    int[] status = new int[1];
    cl_context context = CL.clCreateContext(properties, 1, list, null, null, status);
    check(status[0], "clCreateContext", device);
    return contexts.add(context);
  }

  @Override
  public void releaseContext(long context) {
    Releases.done(CL.clReleaseContext(contexts.remove(context)), "clReleaseContext", context);
  }

  @Override
  @SuppressWarnings("deprecation") // OpenCL 1.2, which drivers of 1.2 alone have
  public long createQueue(long context, long device, boolean profiling) {
    long flags = profiling ? Cl.CL_QUEUE_PROFILING_ENABLE : 0;
    int[] status = new int[1];
    cl_command_queue queue =
        CL.clCreateCommandQueue(contexts.get(context), devices.get(device), flags, status);
    check(status[0], "clCreateCommandQueue", context, device, flags);
    return queues.add(queue);
  }

  @Override
  public void releaseQueue(long queue) {
    Releases.done(CL.clReleaseCommandQueue(queues.remove(queue)), "clReleaseCommandQueue", queue);
  }

  @Override
  public void flush(long queue) {
    check(CL.clFlush(queues.get(queue)), "clFlush", queue);
  }

  @Override
  public void finish(long queue) {
    check(CL.clFinish(queues.get(queue)), "clFinish", queue);
  }

  // ---- buffers

  @Override
  public long createBuffer(long context, long flags, long bytes) {
    int[] status = new int[1];
    cl_mem buffer = CL.clCreateBuffer(contexts.get(context), flags, bytes, null, status);
    check(status[0], "clCreateBuffer", context, flags, bytes);
    return buffers.add(buffer);
  }

  @Override
  public void releaseBuffer(long buffer) {
    Releases.done(CL.clReleaseMemObject(buffers.remove(buffer)), "clReleaseMemObject", buffer);
  }

  /** One call of a transfer in pieces. */
  private interface Transfer {
    int enqueue(boolean wait, long offset, long bytes, Pointer host, @Nullable cl_event event);
  }

  @Override
  public void write(long queue, long buffer, long offset, MemorySegment source) {
    transfer("clEnqueueWriteBuffer", writing(queue, buffer), queue, buffer, offset, source, null);
  }

  @Override
  public long writeAsync(long queue, long buffer, long offset, MemorySegment source) {
    cl_event event = new cl_event();
    transfer("clEnqueueWriteBuffer", writing(queue, buffer), queue, buffer, offset, source, event);
    return events.add(event);
  }

  @Override
  public void read(long queue, long buffer, long offset, MemorySegment target) {
    transfer("clEnqueueReadBuffer", reading(queue, buffer), queue, buffer, offset, target, null);
  }

  @Override
  public long readAsync(long queue, long buffer, long offset, MemorySegment target) {
    cl_event event = new cl_event();
    transfer("clEnqueueReadBuffer", reading(queue, buffer), queue, buffer, offset, target, event);
    return events.add(event);
  }

  private Transfer writing(long queue, long buffer) {
    cl_command_queue to = queues.get(queue);
    cl_mem memory = buffers.get(buffer);
    return (wait, offset, bytes, host, event) ->
        CL.clEnqueueWriteBuffer(to, memory, wait, offset, bytes, host, 0, null, event);
  }

  private Transfer reading(long queue, long buffer) {
    cl_command_queue to = queues.get(queue);
    cl_mem memory = buffers.get(buffer);
    return (wait, offset, bytes, host, event) ->
        CL.clEnqueueReadBuffer(to, memory, wait, offset, bytes, host, 0, null, event);
  }

  /** The queue is in order: the event of the last piece is that of all. */
  private void transfer(
      String name,
      Transfer call,
      long queue,
      long buffer,
      long offset,
      MemorySegment host,
      @Nullable cl_event event) {
    long at = 0;
    do {
      long bytes = Math.min(pieceBytes, host.byteSize() - at);
      boolean last = at + bytes == host.byteSize();
      boolean wait = event == null;
      Pointer piece = Pointer.to(host.asSlice(at, bytes).asByteBuffer());
      check(
          call.enqueue(wait, offset + at, bytes, piece, last ? event : null),
          name,
          queue,
          buffer,
          wait ? 1 : 0,
          offset + at,
          bytes);
      at += bytes;
    } while (at < host.byteSize());
  }

  @Override
  public void copy(long queue, long from, long fromOffset, long to, long toOffset, long bytes) {
    int status =
        CL.clEnqueueCopyBuffer(
            queues.get(queue),
            buffers.get(from),
            buffers.get(to),
            fromOffset,
            toOffset,
            bytes,
            0,
            null,
            null);
    check(status, "clEnqueueCopyBuffer", queue, from, to, fromOffset, toOffset, bytes);
  }

  @Override
  public void fill(long queue, long buffer, long offset, long bytes, byte value) {
    Pointer pattern = Pointer.to(new byte[] {value});
    int status =
        CL.clEnqueueFillBuffer(
            queues.get(queue), buffers.get(buffer), pattern, 1, offset, bytes, 0, null, null);
    check(status, "clEnqueueFillBuffer", queue, buffer, offset, bytes);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException for more than JOCL can map, 2 GiB less one byte
   */
  @Override
  public MemorySegment map(long queue, long buffer, long flags, long offset, long bytes) {
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "jocl: a mapped range must be at most %d bytes but is %d"
              .formatted(Integer.MAX_VALUE, bytes));
    }
    int[] status = new int[1];
    ByteBuffer mapped =
        CL.clEnqueueMapBuffer(
            queues.get(queue),
            buffers.get(buffer),
            true,
            flags,
            offset,
            bytes,
            0,
            null,
            null,
            status);
    check(status[0], "clEnqueueMapBuffer", queue, buffer, flags, offset, bytes);
    return MemorySegment.ofBuffer(mapped);
  }

  @Override
  public void unmap(long queue, long buffer, MemorySegment mapped) {
    int status =
        CL.clEnqueueUnmapMemObject(
            queues.get(queue), buffers.get(buffer), mapped.asByteBuffer(), 0, null, null);
    check(status, "clEnqueueUnmapMemObject", queue, buffer, mapped.address());
  }

  // ---- programs

  @Override
  public long createProgram(long context, String source) {
    int[] status = new int[1];
    String[] texts = {source};
    cl_program program =
        CL.clCreateProgramWithSource(contexts.get(context), 1, texts, null, status);
    check(status[0], "clCreateProgramWithSource", context);
    return programs.add(program);
  }

  @Override
  public long createProgram(long context, long device, byte[] binary) {
    cl_device_id[] list = {devices.get(device)};
    long[] sizes = {binary.length};
    byte[][] binaries = {binary};
    int[] each = new int[1];
    int[] status = new int[1];
    cl_program program =
        CL.clCreateProgramWithBinary(contexts.get(context), 1, list, sizes, binaries, each, status);
    check(status[0], "clCreateProgramWithBinary", context, device, binary.length);
    long handle = programs.add(program);
    if (each[0] != OpenClStatus.SUCCESS) {
      releaseProgram(handle);
      check(each[0], "clCreateProgramWithBinary", context, device, binary.length);
    }
    return handle;
  }

  @Override
  public void build(long program, long device, String options) {
    cl_device_id[] list = {devices.get(device)};
    int status = CL.clBuildProgram(programs.get(program), 1, list, options, null, null);
    if (status != OpenClStatus.SUCCESS) {
      throw new OpenClBuildException(
          describe("clBuildProgram", program, device) + " with options \"" + options + "\"",
          status,
          buildLog(program, device));
    }
  }

  @Override
  public String buildLog(long program, long device) {
    cl_program of = programs.get(program);
    cl_device_id on = devices.get(device);
    return text(
        (bytes, value, size) ->
            CL.clGetProgramBuildInfo(of, on, Cl.CL_PROGRAM_BUILD_LOG, bytes, value, size),
        "clGetProgramBuildInfo",
        program,
        Cl.CL_PROGRAM_BUILD_LOG);
  }

  @Override
  public byte[] binary(long program) {
    cl_program of = programs.get(program);
    long size =
        number(
            (bytes, value, needed) ->
                CL.clGetProgramInfo(of, Cl.CL_PROGRAM_BINARY_SIZES, bytes, value, needed),
            "clGetProgramInfo",
            program,
            Cl.CL_PROGRAM_BINARY_SIZES);
    byte[] binary = new byte[Math.toIntExact(size)];
    if (binary.length > 0) {
      Pointer pointers = Pointer.to(Pointer.to(binary));
      int status = CL.clGetProgramInfo(of, Cl.CL_PROGRAM_BINARIES, Long.BYTES, pointers, null);
      check(status, "clGetProgramInfo", program, Cl.CL_PROGRAM_BINARIES);
    }
    return binary;
  }

  @Override
  public void releaseProgram(long program) {
    Releases.done(CL.clReleaseProgram(programs.remove(program)), "clReleaseProgram", program);
  }

  // ---- kernels

  @Override
  public long createKernel(long program, String name) {
    int[] status = new int[1];
    cl_kernel kernel = CL.clCreateKernel(programs.get(program), name, status);
    check(status[0], "clCreateKernel[" + name + "]", program);
    return kernels.add(kernel);
  }

  @Override
  public void releaseKernel(long kernel) {
    Releases.done(CL.clReleaseKernel(kernels.remove(kernel)), "clReleaseKernel", kernel);
  }

  @Override
  public void setBuffer(long kernel, int index, long buffer) {
    setArgument(kernel, index, Long.BYTES, Pointer.to(buffers.get(buffer)));
  }

  @Override
  public void setInt(long kernel, int index, int value) {
    setArgument(kernel, index, Integer.BYTES, Pointer.to(new int[] {value}));
  }

  @Override
  public void setLocal(long kernel, int index, long bytes) {
    setArgument(kernel, index, bytes, null);
  }

  private void setArgument(long kernel, int index, long bytes, @Nullable Pointer value) {
    int status = CL.clSetKernelArg(kernels.get(kernel), index, bytes, value);
    check(status, "clSetKernelArg", kernel, index, bytes);
  }

  @Override
  public long kernelNumber(long kernel, long device, int property) {
    cl_kernel of = kernels.get(kernel);
    cl_device_id on = devices.get(device);
    return number(
        (bytes, value, size) -> CL.clGetKernelWorkGroupInfo(of, on, property, bytes, value, size),
        "clGetKernelWorkGroupInfo",
        kernel,
        property);
  }

  @Override
  public void launch(long queue, long kernel, long global, long local) {
    enqueue(queue, kernel, global, local, null);
  }

  @Override
  public long launchWithEvent(long queue, long kernel, long global, long local) {
    cl_event event = new cl_event();
    enqueue(queue, kernel, global, local, event);
    return events.add(event);
  }

  private void enqueue(long queue, long kernel, long global, long local, @Nullable cl_event event) {
    int status =
        CL.clEnqueueNDRangeKernel(
            queues.get(queue),
            kernels.get(kernel),
            1,
            null,
            new long[] {global},
            new long[] {local},
            0,
            null,
            event);
    check(status, "clEnqueueNDRangeKernel", queue, kernel, global, local);
  }

  // ---- events

  @Override
  public long marker(long queue) {
    cl_event event = new cl_event();
    int status = CL.clEnqueueMarkerWithWaitList(queues.get(queue), 0, null, event);
    check(status, "clEnqueueMarkerWithWaitList", queue);
    return events.add(event);
  }

  @Override
  public void await(long event) {
    check(CL.clWaitForEvents(1, new cl_event[] {events.get(event)}), "clWaitForEvents", event);
  }

  @Override
  public boolean completed(long event) {
    cl_event of = events.get(event);
    int property = Cl.CL_EVENT_COMMAND_EXECUTION_STATUS;
    int status =
        (int)
            number(
                (bytes, value, size) -> CL.clGetEventInfo(of, property, bytes, value, size),
                "clGetEventInfo",
                event,
                property);
    if (status < 0) {
      throw new OpenClException(describe("clGetEventInfo", event), status);
    }
    return status == 0;
  }

  @Override
  public long profilingTime(long event, int property) {
    cl_event of = events.get(event);
    return number(
        (bytes, value, size) -> CL.clGetEventProfilingInfo(of, property, bytes, value, size),
        "clGetEventProfilingInfo",
        event,
        property);
  }

  @Override
  public void releaseEvent(long event) {
    Releases.done(CL.clReleaseEvent(events.remove(event)), "clReleaseEvent", event);
  }

  // ---- shared shapes of calls

  /** A question of {@code clGet…Info}: fills {@code value}, or tells the size it needs. */
  private interface Question {
    int ask(long bytes, @Nullable Pointer value, long @Nullable [] size);
  }

  private static String text(Question question, String name, long object, int property) {
    long[] size = new long[1];
    check(question.ask(0, null, size), name, object, property);
    byte[] text = new byte[Math.toIntExact(size[0])];
    if (text.length > 0) {
      check(question.ask(text.length, Pointer.to(text), null), name, object, property);
    }
    int end = 0;
    while (end < text.length && text[end] != 0) {
      end++;
    }
    return new String(text, 0, end, StandardCharsets.UTF_8).strip();
  }

  private static long number(Question question, String name, long object, int property) {
    // Eight zeroed bytes hold a cl_uint too: OpenCL hosts of this engine are little-endian.
    long[] value = new long[1];
    check(question.ask(Long.BYTES, Pointer.to(value), null), name, object, property);
    return value[0];
  }
}
