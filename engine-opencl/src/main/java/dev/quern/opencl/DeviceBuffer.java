package dev.quern.opencl;

import dev.quern.core.Buffer;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** A range of an arena. */
final class DeviceBuffer implements Buffer {
  private final OpenClBackend backend;
  private final String name;
  private final long bytes;
  private final Region region;
  private final boolean weights;
  private boolean closed;

  DeviceBuffer(OpenClBackend backend, String name, long bytes, Region region, boolean weights) {
    this.backend = backend;
    this.name = name;
    this.bytes = bytes;
    this.region = region;
    this.weights = weights;
  }

  /**
   * Where a buffer lies.
   *
   * @throws IllegalArgumentException if it is not of an OpenCL backend
   * @throws IllegalStateException if it is closed
   */
  static Region region(Buffer buffer) {
    if (!(buffer instanceof DeviceBuffer device)) {
      throw new IllegalArgumentException(
          "buffer %s: must belong to an OpenCL backend but is a %s"
              .formatted(buffer.name(), buffer.getClass().getName()));
    }
    return device.open();
  }

  private Region open() {
    if (closed) {
      throw new IllegalStateException(
          "buffer %s: must be open to be used but is closed".formatted(name));
    }
    return region;
  }

  OpenClBackend backend() {
    return backend;
  }

  /** Whether this holds adopted weights, which cannot be written. */
  boolean weights() {
    return weights;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void write(long offset, MemorySegment source) {
    if (weights) {
      throw new IllegalStateException(
          "buffer %s: adopted weights cannot be written".formatted(name));
    }
    Objects.checkFromIndexSize(offset, source.byteSize(), bytes);
    synchronized (backend.opened()) {
      backend.write(open(), offset, source);
    }
  }

  @Override
  public void read(long offset, MemorySegment target) {
    Objects.checkFromIndexSize(offset, target.byteSize(), bytes);
    synchronized (backend.opened()) {
      backend.read(open(), offset, target);
    }
  }

  @Override
  public void close() {
    synchronized (backend.opened()) {
      if (!closed) {
        closed = true;
        backend.free(this, region);
      }
    }
  }
}
