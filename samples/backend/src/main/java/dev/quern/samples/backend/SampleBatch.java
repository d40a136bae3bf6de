package dev.quern.samples.backend;

import dev.quern.core.Bindings;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.HostTemporaries;
import dev.quern.core.Precision;
import dev.quern.core.Support;
import dev.quern.core.op.Op;

/** A batch with memory of its own for each temporary. */
final class SampleBatch implements CompiledBatch {
  private final SampleBackend backend;
  private final CommandBatch batch;
  private final Precision precision;
  private final HostTemporaries memory;

  SampleBatch(SampleBackend backend, CommandBatch batch, Precision precision) {
    this.backend = backend;
    this.batch = batch;
    this.precision = precision;
    this.memory = new HostTemporaries(batch);
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
      memory.close();
    }
  }

  HostTemporaries memory() {
    return memory;
  }
}
