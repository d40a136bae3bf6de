package dev.quern.core.hybrid;

import dev.quern.core.Bindings;
import dev.quern.core.Buffer;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.StepTime;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A batch as segments that run one after another. Guarded by the lock of its backend. */
final class HybridBatch implements CompiledBatch {
  private final HybridBackend backend;
  private final CommandBatch batch;
  private final List<Segment> segments;
  private boolean closed;

  HybridBatch(HybridBackend backend, CommandBatch batch, List<Segment> segments) {
    this.backend = backend;
    this.batch = batch;
    this.segments = List.copyOf(segments);
  }

  @Override
  public CommandBatch batch() {
    return batch;
  }

  @Override
  public Completion submit(Bindings bindings) {
    synchronized (backend) {
      requireOpen(bindings);
      List<Completion> started = new ArrayList<>();
      for (Segment segment : segments) {
        started.add(segment.run(backend, bindings, segment.compiled()::submit));
      }
      backend.submitted();
      return () -> started.forEach(Completion::await);
    }
  }

  @Override
  public List<StepTime> profile(Bindings bindings) {
    synchronized (backend) {
      requireOpen(bindings);
      List<StepTime> times = new ArrayList<>();
      for (Segment segment : segments) {
        List<StepTime> own = segment.run(backend, bindings, segment.compiled()::profile);
        own.stream().map(segment::whole).forEach(times::add);
      }
      return times;
    }
  }

  private void requireOpen(Bindings bindings) {
    if (closed) {
      throw new IllegalStateException(
          "%s: batch must be open to be submitted but is closed".formatted(batch.name()));
    }
    bindings.check(batch);
  }

  @Override
  public String explain() {
    StringBuilder text = new StringBuilder();
    text.append("%s on %s: %d segments%n".formatted(batch.name(), backend.name(), segments.size()));
    for (Segment segment : segments) {
      for (Segment.Border border : segment.borders()) {
        if (border.between() != null && border.incoming()) {
          text.append(
              "  copied to %s when stale: %s, at most %d bytes%n"
                  .formatted(
                      backend.on(segment.side()).name(),
                      border.slot().name(),
                      border.slot().bytes()));
        }
      }
      text.append(segment.compiled().explain());
    }
    return text.toString();
  }

  @Override
  public void close() {
    synchronized (backend) {
      if (!closed) {
        closed = true;
        Set<HybridMemory> between = new LinkedHashSet<>();
        for (Segment segment : segments) {
          segment.compiled().close();
          segment.collectBetween(between);
        }
        between.forEach(Buffer::close);
        backend.gone(this);
      }
    }
  }
}
