package dev.quern.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The memory of a batch on a backend that runs on the host and plans nothing: a piece of its own,
 * full of zeros, for each temporary.
 */
public final class HostTemporaries implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Map<Slot.Bytes, MemorySegment> temporaries = new HashMap<>();

  /** Memory for each slot of a batch that nobody binds. */
  public HostTemporaries(CommandBatch batch) {
    Set<Slot.Bytes> bound = batch.bound();
    for (Slot slot : batch.slots()) {
      if (slot instanceof Slot.Bytes bytes && !bound.contains(bytes)) {
        temporaries.put(bytes, arena.allocate(bytes.bytes(), HostBuffer.ALIGNMENT));
      }
    }
  }

  /**
   * Where the bytes of a storage are during one submit.
   *
   * @throws IllegalArgumentException if a buffer belongs to another kind of backend
   * @throws IllegalStateException if a buffer is closed
   */
  public MemorySegment segment(Storage storage, Bindings bindings) {
    return switch (storage) {
      case Slot.Bytes slot -> {
        MemorySegment temporary = temporaries.get(slot);
        yield temporary != null ? temporary : HostBuffer.segment(bindings.get(slot));
      }
      case Buffer buffer -> HostBuffer.segment(buffer);
    };
  }

  @Override
  public void close() {
    arena.close();
  }
}
