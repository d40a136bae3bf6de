package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;
import java.lang.foreign.MemorySegment;

/**
 * A binding that answers questions about devices and does nothing else: every handle is a number,
 * no buffer has memory, no program is built. The whole backend runs on it, so that what it says of
 * its memory is what it would take.
 */
final class DryRunOpenCl implements OpenCl {
  private final OpenCl devices;
  private long handles;

  DryRunOpenCl(OpenCl devices) {
    this.devices = devices;
  }

  private long handle() {
    return ++handles;
  }

  @Override
  public String binding() {
    return "dry run of " + devices.binding();
  }

  @Override
  public long[] platforms() {
    return devices.platforms();
  }

  @Override
  public String platformText(long platform, int property) {
    return devices.platformText(platform, property);
  }

  @Override
  public long[] devices(long platform) {
    return devices.devices(platform);
  }

  @Override
  public String deviceText(long device, int property) {
    return devices.deviceText(device, property);
  }

  @Override
  public long deviceNumber(long device, int property) {
    return devices.deviceNumber(device, property);
  }

  @Override
  public long createContext(long platform, long device) {
    return handle();
  }

  @Override
  public void releaseContext(long context) {}

  @Override
  public long createQueue(long context, long device, boolean profiling) {
    return handle();
  }

  @Override
  public void releaseQueue(long queue) {}

  @Override
  public void flush(long queue) {}

  @Override
  public void finish(long queue) {}

  @Override
  public long createBuffer(long context, long flags, long bytes) {
    return handle();
  }

  @Override
  public void releaseBuffer(long buffer) {}

  @Override
  public void write(long queue, long buffer, long offset, MemorySegment source) {}

  @Override
  public long writeAsync(long queue, long buffer, long offset, MemorySegment source) {
    return handle();
  }

  @Override
  public void read(long queue, long buffer, long offset, MemorySegment target) {
    throw nothing("read");
  }

  @Override
  public long readAsync(long queue, long buffer, long offset, MemorySegment target) {
    throw nothing("read");
  }

  @Override
  public void copy(long queue, long from, long fromOffset, long to, long toOffset, long bytes) {}

  @Override
  public void fill(long queue, long buffer, long offset, long bytes, byte value) {}

  @Override
  public MemorySegment map(long queue, long buffer, long flags, long offset, long bytes) {
    throw nothing("mapped");
  }

  @Override
  public void unmap(long queue, long buffer, MemorySegment mapped) {}

  @Override
  public long createProgram(long context, String source) {
    return handle();
  }

  @Override
  public long createProgram(long context, long device, byte[] binary) {
    return handle();
  }

  @Override
  public void build(long program, long device, String options) {}

  @Override
  public String buildLog(long program, long device) {
    return "";
  }

  @Override
  public byte[] binary(long program) {
    return new byte[0];
  }

  @Override
  public void releaseProgram(long program) {}

  @Override
  public long createKernel(long program, String name) {
    return handle();
  }

  @Override
  public void releaseKernel(long kernel) {}

  @Override
  public void setBuffer(long kernel, int index, long buffer) {}

  @Override
  public void setInt(long kernel, int index, int value) {}

  @Override
  public void setLocal(long kernel, int index, long bytes) {}

  @Override
  public long kernelNumber(long kernel, long device, int property) {
    return 0;
  }

  @Override
  public void launch(long queue, long kernel, long global, long local) {}

  @Override
  public long launchWithEvent(long queue, long kernel, long global, long local) {
    return handle();
  }

  @Override
  public long marker(long queue) {
    return handle();
  }

  @Override
  public void await(long event) {}

  @Override
  public boolean completed(long event) {
    return true;
  }

  @Override
  public long profilingTime(long event, int property) {
    return 0;
  }

  @Override
  public void releaseEvent(long event) {}

  private static IllegalStateException nothing(String what) {
    return new IllegalStateException("opencl dry run: nothing can be " + what);
  }
}
