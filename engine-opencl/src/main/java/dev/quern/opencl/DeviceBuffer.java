package dev.quern.opencl;

import dev.quern.core.Buffer;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A range of an arena. Weights can be there in two orders: as the file has them, and in {@link
 * Tiles}, each made when it is first needed. An order that no open batch uses is given back as soon
 * as the other is made, so that a weight lies on the device once.
 */
final class DeviceBuffer implements Buffer {
  private final OpenClBackend backend;
  private final String name;
  private final long bytes;
  private final @Nullable Content content;
  private @Nullable Region region;
  private @Nullable DeviceBuffer otherOrder;
  private int batches;
  private boolean closed;

  /** Fills the region of a weight. */
  interface Content {
    void fill(Region region);
  }

  /**
   * A buffer.
   *
   * @param content what weights are made from when they are needed; null for a buffer that is
   *     written
   */
  DeviceBuffer(OpenClBackend backend, String name, long bytes, @Nullable Content content) {
    this.backend = backend;
    this.name = name;
    this.bytes = bytes;
    this.content = content;
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
    return resident();
  }

  private Region resident() {
    Region place = region;
    if (place == null) {
      place = backend.opened().memory().allocate(name, bytes);
      region = place;
      if (content != null) {
        try {
          content.fill(place);
        } catch (RuntimeException | Error e) {
          giveBack();
          throw e;
        }
      }
      if (otherOrder != null) {
        otherOrder.giveBackUnused();
      }
    }
    return place;
  }

  private void giveBackUnused() {
    if (batches == 0) {
      giveBack();
    }
  }

  private void giveBack() {
    if (region != null) {
      backend.opened().memory().free(region);
      region = null;
    }
  }

  /** The same weights in tiles. */
  DeviceBuffer inTiles(Content tiled) {
    DeviceBuffer tiles = otherOrder;
    if (tiles == null) {
      tiles = new DeviceBuffer(backend, name + " in tiles", bytes, tiled);
      tiles.otherOrder = this;
      otherOrder = tiles;
    }
    return tiles;
  }

  /** Takes note that an open batch uses this order of the weights, or (-1) that it is closed. */
  void use(int batches) {
    this.batches += batches;
  }

  OpenClBackend backend() {
    return backend;
  }

  /** Whether this holds adopted weights, which cannot be written. */
  boolean weights() {
    return content != null;
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
    if (weights()) {
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

  /** Gives back all device memory. */
  void release() {
    giveBack();
    if (otherOrder != null) {
      otherOrder.giveBack();
    }
  }

  @Override
  public void close() {
    synchronized (backend.opened()) {
      if (!closed) {
        closed = true;
        backend.free(this);
      }
    }
  }
}
