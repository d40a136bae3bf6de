package dev.quern.opencl.binding;

import java.lang.foreign.MemorySegment;

/**
 * The operations of OpenCL 1.2 that the engine uses, in Java terms: handles are {@code long}, host
 * memory is a native {@link MemorySegment}, and a status other than {@code CL_SUCCESS} is an {@link
 * OpenClException} that names the call, its arguments and the status. Only a release does not
 * throw: its status is {@linkplain Releases logged}.
 *
 * <p>Implementations add no policy (no caching, no lifetime tracking): a wrapper can count or fail
 * calls, and a second binding can stand in for the first. All methods may be called from any
 * thread, except that the arguments of one kernel must not be set concurrently.
 *
 * @see <a href="https://registry.khronos.org/OpenCL/specs/opencl-1.2.pdf">OpenCL 1.2</a>
 */
public interface OpenCl {
  /** Returns the name of the binding, such as {@code ffm}. */
  String binding();

  // ---- platforms and devices

  /** Returns the handles of all platforms; empty when the loader finds none. */
  long[] platforms();

  /** Returns a text property of a platform ({@code CL_PLATFORM_*}). */
  String platformText(long platform, int property);

  /** Returns the handles of all devices of a platform; empty when it has none. */
  long[] devices(long platform);

  /** Returns a text property of a device ({@code CL_DEVICE_*}). */
  String deviceText(long device, int property);

  /** Returns a property of a device that is one integer of at most eight bytes. */
  long deviceNumber(long device, int property);

  // ---- context and queue

  /** Creates a context of one device. */
  long createContext(long platform, long device);

  /** Releases a context. */
  void releaseContext(long context);

  /** Creates an in-order queue, with time stamps on events when {@code profiling}. */
  long createQueue(long context, long device, boolean profiling);

  /** Releases a queue. */
  void releaseQueue(long queue);

  /** Submits what is queued to the device. */
  void flush(long queue);

  /** Waits until the queue is empty. */
  void finish(long queue);

  // ---- buffers

  /** Creates a buffer of {@code bytes} bytes; flags are {@code CL_MEM_*}. */
  long createBuffer(long context, long flags, long bytes);

  /** Releases a buffer. */
  void releaseBuffer(long buffer);

  /** Copies {@code source} into the buffer and waits. */
  void write(long queue, long buffer, long offset, MemorySegment source);

  /**
   * Enqueues a copy of {@code source} into the buffer.
   *
   * @return an event to release; {@code source} must stay alive and unchanged until it completes
   */
  long writeAsync(long queue, long buffer, long offset, MemorySegment source);

  /** Copies from the buffer into {@code target} and waits. */
  void read(long queue, long buffer, long offset, MemorySegment target);

  /**
   * Enqueues a copy from the buffer into {@code target}.
   *
   * @return an event to release; {@code target} must stay alive until it completes
   */
  long readAsync(long queue, long buffer, long offset, MemorySegment target);

  /** Enqueues a copy between (or within, without overlap) buffers. */
  void copy(long queue, long from, long fromOffset, long to, long toOffset, long bytes);

  /** Enqueues filling a range with one byte. */
  void fill(long queue, long buffer, long offset, long bytes, byte value);

  /** Maps a range of a buffer for {@code CL_MAP_*} access and waits. */
  MemorySegment map(long queue, long buffer, long flags, long offset, long bytes);

  /** Enqueues unmapping a segment that {@link #map} returned. */
  void unmap(long queue, long buffer, MemorySegment mapped);

  // ---- programs

  /** Creates a program from OpenCL C source. */
  long createProgram(long context, String source);

  /** Creates a program from a binary of this device. */
  long createProgram(long context, long device, byte[] binary);

  /**
   * Builds a program.
   *
   * @throws OpenClBuildException with the compiler's log when the build fails
   */
  void build(long program, long device, String options);

  /** Returns the compiler's log of the last build. */
  String buildLog(long program, long device);

  /** Returns the binary of a built program of one device. */
  byte[] binary(long program);

  /** Releases a program. */
  void releaseProgram(long program);

  // ---- kernels

  /** Creates a kernel of a built program. */
  long createKernel(long program, String name);

  /** Releases a kernel. */
  void releaseKernel(long kernel);

  /** Sets a buffer argument. */
  void setBuffer(long kernel, int index, long buffer);

  /** Sets an {@code int} argument. */
  void setInt(long kernel, int index, int value);

  /** Sets the size of a {@code local} argument. */
  void setLocal(long kernel, int index, long bytes);

  /** Returns a number about a kernel on a device ({@code CL_KERNEL_*}). */
  long kernelNumber(long kernel, long device, int property);

  /** Enqueues a one-dimensional launch; {@code global} is a multiple of {@code local}. */
  void launch(long queue, long kernel, long global, long local);

  /** As {@link #launch}, returning an event to release. */
  long launchWithEvent(long queue, long kernel, long global, long local);

  // ---- events

  /** Enqueues a marker; its event completes when all before it has. */
  long marker(long queue);

  /** Waits for an event. */
  void await(long event);

  /** Returns whether an event has completed, without waiting. */
  boolean completed(long event);

  /** Returns a time stamp of an event in nanoseconds ({@code CL_PROFILING_COMMAND_*}). */
  long profilingTime(long event, int property);

  /** Releases an event. */
  void releaseEvent(long event);
}
