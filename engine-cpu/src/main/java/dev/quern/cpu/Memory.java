package dev.quern.cpu;

import dev.quern.core.Buffer;
import dev.quern.core.HostBuffer;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Numbers the storages that a batch touches, so that a submit finds their bytes in an array. */
final class Memory {
  private final Map<Storage, Integer> indices = new HashMap<>();
  private final List<Storage> storages = new ArrayList<>();

  /** Where a tensor lies. */
  Place place(Tensor tensor) {
    Integer index = indices.get(tensor.storage());
    if (index == null) {
      index = storages.size();
      indices.put(tensor.storage(), index);
      storages.add(tensor.storage());
    }
    return new Place(index, tensor.offset(), tensor.rowBytes());
  }

  /** The storages in the order of their numbers. */
  List<Storage> storages() {
    return List.copyOf(storages);
  }

  /** The bytes of persistent buffers and temporaries; slots bound at submit stay empty. */
  MemorySegment[] segments(Map<Slot.Bytes, Long> scratch, MemorySegment scratchBytes) {
    MemorySegment[] segments = new MemorySegment[storages.size()];
    for (int i = 0; i < segments.length; i++) {
      segments[i] =
          switch (storages.get(i)) {
            case Buffer buffer -> HostBuffer.segment(buffer);
            case Slot.Bytes slot -> {
              Long offset = scratch.get(slot);
              yield offset == null
                  ? MemorySegment.NULL
                  : scratchBytes.asSlice(offset, slot.bytes());
            }
          };
    }
    return segments;
  }

  /**
   * Where a tensor lies.
   *
   * @param memory number of its storage
   * @param offset byte offset of its first element
   * @param rowBytes bytes of a row
   */
  record Place(int memory, long offset, long rowBytes) {
    MemorySegment in(Frame frame) {
      return frame.memory[memory];
    }

    long at(long row) {
      return offset + row * rowBytes;
    }
  }
}
