package dev.quern.opencl;

import dev.quern.core.InsufficientMemoryException;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Device memory as a few arenas, each one OpenCL buffer. Kernels take all arenas as arguments and
 * find a tensor by arena and offset, because OpenCL cannot store pointers in a buffer.
 *
 * <p>A new arena is as large as three times all before it, so that eight of them reach from a few
 * megabytes to the whole of a large device. Not thread-safe.
 */
final class DeviceMemory {
  /** How many arenas kernels take at least. */
  static final int LEAST_ARENAS = 8;

  /** At most: a device need not take more than 128 pointers as arguments. */
  static final int MOST_ARENAS = 64;

  private static final long ALIGNMENT = 256;
  private static final long FIRST_BYTES = 16L << 20;

  private final OpenCl cl;
  private final ClDevice device;
  private final long context;
  private final List<Arena> arenas = new ArrayList<>();
  private long usedBytes;

  /** One buffer; {@code free} maps the offset of each free range to its size. */
  private record Arena(long buffer, long bytes, TreeMap<Long, Long> free) {}

  DeviceMemory(OpenCl cl, ClDevice device, long context) {
    this.cl = cl;
    this.device = device;
    this.context = context;
  }

  /**
   * Returns a free region of at least {@code bytes} bytes, its content undefined.
   *
   * @throws InsufficientMemoryException if the device has no room: "opencl memory: …"
   */
  Region allocate(String what, long bytes) {
    long size = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    for (int i = 0; i < arenas.size(); i++) {
      for (Map.Entry<Long, Long> range : arenas.get(i).free.entrySet()) {
        if (range.getValue() >= size) {
          return take(i, range.getKey(), range.getValue(), size);
        }
      }
    }
    grow(what, size);
    Arena last = arenas.getLast();
    return take(arenas.size() - 1, 0, last.bytes, size);
  }

  private Region take(int arena, long offset, long available, long size) {
    TreeMap<Long, Long> free = arenas.get(arena).free;
    free.remove(offset);
    if (available > size) {
      free.put(offset + size, available - size);
    }
    usedBytes += size;
    return new Region(arena, offset, size);
  }

  /** Gives a region back. */
  void free(Region region) {
    TreeMap<Long, Long> free = arenas.get(region.arena()).free;
    long offset = region.offset();
    long bytes = region.bytes();
    usedBytes -= bytes;
    Long next = free.remove(offset + bytes);
    bytes += next == null ? 0 : next;
    Map.Entry<Long, Long> before = free.lowerEntry(offset);
    if (before != null && before.getKey() + before.getValue() == offset) {
      offset = before.getKey();
      bytes += before.getValue();
    }
    free.put(offset, bytes);
  }

  private static InsufficientMemoryException tooLarge(String what, long bytes, String room) {
    return new InsufficientMemoryException(
        ("opencl memory: %s of %d bytes must fit %s but does not; use a smaller model, a shorter"
                + " context, or --backend opencl+cpu")
            .formatted(what, bytes, room));
  }

  private void grow(String what, long bytes) {
    long limit = device.info().maxAllocationBytes();
    long total = arenas.stream().mapToLong(Arena::bytes).sum();
    long room = device.info().memoryBytes() - total;
    if (bytes > limit) {
      throw tooLarge(what, bytes, "the device's largest allocation of %d bytes".formatted(limit));
    }
    if (bytes > room) {
      throw tooLarge(what, bytes, "the device's free memory of %d bytes".formatted(room));
    }
    if (arenas.size() >= most()) {
      throw tooLarge(what, bytes, "the %d buffers that a kernel takes".formatted(most()));
    }
    long wanted =
        Math.max(bytes, Math.min(Math.max(FIRST_BYTES, 3 * total), Math.min(limit, room)));
    long buffer = create(what, wanted, bytes);
    long size = buffer == 0 ? bytes : wanted;
    if (buffer == 0) {
      buffer = create(what, bytes, bytes);
    }
    TreeMap<Long, Long> free = new TreeMap<>();
    free.put(0L, size);
    arenas.add(new Arena(buffer, size, free));
  }

  /** Returns 0 if there is no room for {@code bytes} but could be for {@code least}. */
  private long create(String what, long bytes, long least) {
    try {
      return cl.createBuffer(context, Cl.CL_MEM_READ_WRITE, bytes);
    } catch (OpenClException e) {
      if (bytes > least) {
        return 0;
      }
      throw new InsufficientMemoryException(
          "opencl memory: the device must have room for the %d bytes of %s but has not; %s"
              .formatted(bytes, what, e.getMessage()),
          e);
    }
  }

  /** Bytes in use. */
  long usedBytes() {
    return usedBytes;
  }

  /** A dry run that is to refuse nothing has as many as it needs. */
  private int most() {
    boolean endless = device.info().memoryBytes() == Long.MAX_VALUE;
    return endless ? Integer.MAX_VALUE : mostArenas();
  }

  /** How many arenas kernels take. */
  int mostArenas() {
    return device.arenas();
  }

  /** How many arenas there are; they are only ever added. */
  int arenas() {
    return arenas.size();
  }

  /** The OpenCL buffer of an arena. */
  long buffer(int arena) {
    return arenas.get(arena).buffer;
  }

  /** Releases all arenas. */
  void release() {
    arenas.forEach(arena -> cl.releaseBuffer(arena.buffer));
    arenas.clear();
    usedBytes = 0;
  }
}
