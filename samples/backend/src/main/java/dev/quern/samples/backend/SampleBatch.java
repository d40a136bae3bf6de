package dev.quern.samples.backend;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.HostBuffer;
import dev.quern.core.Precision;
import dev.quern.core.Slot;
import dev.quern.core.Storage;
import dev.quern.core.Support;
import dev.quern.core.op.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** A batch with memory of its own for each temporary. */
final class SampleBatch implements CompiledBatch {
  private final SampleBackend backend;
  private final CommandBatch batch;
  private final Precision precision;
  private final Arena arena = Arena.ofShared();
  private final Map<Slot.Bytes, MemorySegment> temporaries = new HashMap<>();

  SampleBatch(SampleBackend backend, CommandBatch batch, Precision precision) {
    this.backend = backend;
    this.batch = batch;
    this.precision = precision;
    Set<Slot.Bytes> bound = batch.bound();
    for (Slot slot : batch.slots()) {
      if (slot instanceof Slot.Bytes bytes && !bound.contains(bytes)) {
        temporaries.put(bytes, arena.allocate(bytes.bytes(), 64));
      }
    }
  }

  @Override
  public CommandBatch batch() {
    return batch;
  }

  @Override
  public Completion submit(Bindings bindings) {
    backend.run(this, bindings);
    return Completion.DONE;
  }

  @Override
  public String explain() {
    StringBuilder text = new StringBuilder(batch.name()).append(" on sample\n");
    for (Op op : batch.ops()) {
      String kernel =
          switch (backend.supports(op, precision)) {
            case Support.Yes yes -> yes.kernel();
            case Support.No no -> "host step through the reference; refused: " + no.reason();
          };
      text.append("  %s: %s%n".formatted(op.name(), kernel));
    }
    return text.toString();
  }

  @Override
  public void close() {
    if (backend.remove(this)) {
      arena.close();
    }
  }

  MemorySegment segment(Storage storage, Bindings bindings) {
    return switch (storage) {
      case Slot.Bytes slot -> {
        MemorySegment temporary = temporaries.get(slot);
        yield temporary != null ? temporary : HostBuffer.segment(bindings.get(slot));
      }
      case Buffer buffer -> HostBuffer.segment(buffer);
    };
  }
}
