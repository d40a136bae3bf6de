package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Tensor;
import dev.quern.core.op.Op;
import dev.quern.core.reference.ReferenceOps;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** Runs an operation that has no kernel: read, compute by the reference, write. */
final class HostSteps {
  private HostSteps() {}

  static void run(OpenDevice device, Lowered lowered, Step.Host step, Bindings bindings) {
    device.counters().hostSteps++;
    Op op = step.op();
    try (Arena arena = Arena.ofConfined()) {
      Map<Storage, MemorySegment> host = new HashMap<>();
      for (Tensor tensor : op.reads()) {
        copyIn(device, lowered, tensor.storage(), bindings, arena, host);
      }
      for (Tensor tensor : op.writes()) {
        copyIn(device, lowered, tensor.storage(), bindings, arena, host);
      }
      ReferenceOps.run(op, storage -> at(host, storage), bindings::liveRows);
      for (Tensor tensor : op.writes()) {
        Region region = region(lowered, tensor.storage(), bindings);
        MemorySegment changed = at(host, tensor.storage()).asSlice(tensor.offset(), tensor.bytes());
        long offset = region.offset() + tensor.offset();
        device.write(device.memory().buffer(region.arena()), offset, changed);
      }
      // The copies in this arena must have left it before it closes.
      device.finish();
    }
  }

  private static void copyIn(
      OpenDevice device,
      Lowered lowered,
      Storage storage,
      Bindings bindings,
      Arena arena,
      Map<Storage, MemorySegment> host) {
    if (!host.containsKey(storage)) {
      MemorySegment copy = arena.allocate(storage.bytes(), 64);
      if (storage instanceof SplitBuffer split) {
        split.read(0, copy);
      } else {
        Region region = region(lowered, storage, bindings);
        device.read(device.memory().buffer(region.arena()), region.offset(), copy);
      }
      host.put(storage, copy);
    }
  }

  private static MemorySegment at(Map<Storage, MemorySegment> host, Storage storage) {
    MemorySegment segment = host.get(storage);
    if (segment == null) {
      throw new IllegalStateException("a host step touches " + storage.name() + " undeclared");
    }
    return segment;
  }

  private static Region region(Lowered lowered, Storage storage, Bindings bindings) {
    return switch (storage) {
      case Buffer buffer -> DeviceBuffer.region(buffer);
      case Slot.Bytes slot -> {
        Long temporary = lowered.plan().scratch().get(slot);
        Region scratch = lowered.scratch();
        yield temporary == null
            ? DeviceBuffer.region(bindings.get(slot))
            : new Region(scratch.arena(), scratch.offset() + temporary, slot.bytes());
      }
    };
  }
}
