package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An opened device: context, one in-order queue, memory, programs. Everything of a backend that
 * touches the device holds the lock of this object.
 */
final class OpenDevice {
  private static final System.Logger LOG = System.getLogger(OpenDevice.class.getName());

  private final OpenCl cl;
  private final ClDevice device;
  private final long context;
  private final long queue;
  private final DeviceMemory memory;
  private final ProgramCache cache;
  private final Staging staging;
  private final Map<String, Long> programs = new HashMap<>();
  private final Counters counters = new Counters();

  private OpenDevice(
      OpenCl cl, ClDevice device, long context, long queue, boolean pinned, @Nullable Path cache) {
    this.cl = cl;
    this.device = device;
    this.context = context;
    this.queue = queue;
    this.memory = new DeviceMemory(cl, device, context);
    this.cache = new ProgramCache(cl, device, context, cache);
    this.staging =
        new Staging(
            cl, queue, counters, pinned ? () -> new PinnedUpload(cl, context, queue) : null);
  }

  /**
   * Opens a device.
   *
   * @param pinned whether large writes go through pinned memory
   * @param cache where programs are kept; null for nowhere
   */
  static OpenDevice open(OpenCl cl, ClDevice device, boolean pinned, @Nullable Path cache) {
    long context = cl.createContext(device.platform(), device.handle());
    try {
      return new OpenDevice(
          cl, device, context, cl.createQueue(context, device.handle(), false), pinned, cache);
    } catch (OpenClException e) {
      cl.releaseContext(context);
      throw e;
    }
  }

  OpenCl cl() {
    return cl;
  }

  ClDevice device() {
    return device;
  }

  long context() {
    return context;
  }

  long queue() {
    return queue;
  }

  DeviceMemory memory() {
    return memory;
  }

  ProgramCache cache() {
    return cache;
  }

  Counters counters() {
    return counters;
  }

  /** Returns a program, building it if this device has not built it yet. Kept until closed. */
  long program(String source, String options) {
    String key = options + "\n" + source;
    Long known = programs.get(key);
    if (known != null) {
      return known;
    }
    long program = cache.build(source, options);
    counters.builds++;
    programs.put(key, program);
    return program;
  }

  /** Copies {@code source} to a device buffer; it may be reused when this returns. */
  void write(long buffer, long offset, MemorySegment source) {
    staging.write(buffer, offset, source);
  }

  /** Copies from a device buffer after all work before has finished. */
  void read(long buffer, long offset, MemorySegment target) {
    counters.waits++;
    staging.read(buffer, offset, target);
  }

  /** Waits until the queue is empty. */
  void finish() {
    counters.waits++;
    cl.finish(queue);
  }

  /** Submits what is queued; answers {@code event}, which is released if that fails. */
  long flushed(long event) {
    try {
      cl.flush(queue);
      return event;
    } catch (OpenClException e) {
      cl.releaseEvent(event);
      throw e;
    }
  }

  /**
   * Waits for the queue; a device that is lost is no error here.
   *
   * @return whether the queue is empty, so that host memory it may have used can be given back
   */
  boolean drain() {
    try {
      finish();
      return true;
    } catch (OpenClException e) {
      LOG.log(
          Level.WARNING,
          "{0}: the queue cannot be emptied: {1}",
          device.info().id(),
          e.getMessage());
      return false;
    }
  }

  /** Waits for the queue and releases everything. */
  void close() {
    staging.close(drain());
    programs.values().forEach(cl::releaseProgram);
    programs.clear();
    memory.release();
    cl.releaseQueue(queue);
    cl.releaseContext(context);
  }
}
