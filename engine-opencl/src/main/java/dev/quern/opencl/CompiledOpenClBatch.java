package dev.quern.opencl;

import dev.quern.core.BackendException;
import dev.quern.core.Bindings;
import dev.quern.core.CommandBatch;
import dev.quern.core.CompileOptions;
import dev.quern.core.CompiledBatch;
import dev.quern.core.Completion;
import dev.quern.core.StepTime;
import dev.quern.core.event.Events;
import dev.quern.core.event.FallbackEvent;
import dev.quern.core.event.StepEvent;
import dev.quern.core.plan.Cost;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A lowered batch with its control words on the device and the way it is launched. */
final class CompiledOpenClBatch implements CompiledBatch {
  private static final System.Logger LOG = System.getLogger(CompiledOpenClBatch.class.getName());

  /**
   * Some seconds: far beyond any wave, short enough to wait for once. A look costs a few hundred
   * nanoseconds on a GPU, and about one on a CPU, where another process may also hold the core.
   */
  private static final int GPU_SPIN_LIMIT = 1 << 24;

  private static final int CPU_SPIN_LIMIT = -1;

  /** Above this many rows, launches are a small part of the time and registers a large one. */
  static final int MAX_PERSISTENT_ROWS = 4;

  private final OpenClBackend backend;
  private final OpenDevice device;
  private final Lowered lowered;
  private final Geometry geometry;
  private final Settings settings;
  private final CompileOptions options;
  private final MemorySegment slots;
  private final MemorySegment sentSlots;
  private final long control;
  private final long weightBytes;
  private final String persistentRefused;
  private Launcher launcher;
  private @Nullable CompiledOpenClBatch fallback;
  private boolean sent;
  private boolean closed;

  /**
   * Builds what is not built yet. The caller holds the lock of the device.
   *
   * @throws OpenClException if the device has no room or a kernel does not build; nothing is kept
   */
  CompiledOpenClBatch(
      OpenClBackend backend,
      Lowered lowered,
      Geometry geometry,
      Settings settings,
      CompileOptions options) {
    this.backend = backend;
    this.options = options;
    this.device = backend.opened();
    this.lowered = lowered;
    this.geometry = geometry;
    this.settings = settings;
    this.weightBytes = lowered.batch().ops().stream().mapToLong(Cost::weightBytes).sum();
    long bytes = 4L * lowered.encoder().words().length;
    control = device.cl().createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, bytes);
    int slotWords = Math.toIntExact(Math.max(1, lowered.encoder().slotBytes() / Integer.BYTES));
    slots = MemorySegment.ofArray(new int[slotWords]);
    sentSlots = MemorySegment.ofArray(new int[slotWords]);
    try {
      sendWords();
      switch (attemptPersistent()) {
        case PersistentLauncher.Attempt.Ready ready -> {
          launcher = ready.launcher();
          persistentRefused = "";
        }
        case PersistentLauncher.Attempt.Refused refused -> {
          launcher = new StreamLauncher(device, lowered, geometry, control);
          persistentRefused = refused.reason();
        }
      }
    } catch (RuntimeException | Error e) {
      device.cl().releaseBuffer(control);
      throw e;
    }
  }

  private PersistentLauncher.Attempt attemptPersistent() {
    if (lowered.decoder() != null) {
      return new PersistentLauncher.Attempt.Refused("a token of a decoder is one launch by itself");
    }
    return switch (settings.strategy()) {
      case STREAM -> new PersistentLauncher.Attempt.Refused("opencl.strategy is stream");
      case PERSISTENT -> PersistentLauncher.attempt(device, lowered, geometry, settings, control);
      case AUTO -> {
        long rows = Neighbours.mostRows(batch().ops());
        if (!device.device().nvidia()) {
          // Elsewhere nobody has shown yet that all work-groups of a launch run at once.
          yield new PersistentLauncher.Attempt.Refused("by itself it is chosen on NVIDIA only");
        }
        if (rows > MAX_PERSISTENT_ROWS) {
          yield new PersistentLauncher.Attempt.Refused(
              "a batch of %d rows is not a decode".formatted(rows));
        }
        yield PersistentLauncher.attempt(device, lowered, geometry, settings, control);
      }
    };
  }

  private void sendWords() {
    int[] words = lowered.encoder().words();
    words[StepEncoder.SPIN_LIMIT_WORD] =
        settings.spinLimit() != 0
            ? settings.spinLimit()
            : device.device().cpu() ? CPU_SPIN_LIMIT : GPU_SPIN_LIMIT;
    device.write(control, 0, MemorySegment.ofArray(words));
    sent = false;
  }

  @Override
  public CommandBatch batch() {
    return lowered.batch();
  }

  @Override
  public Completion submit(Bindings bindings) {
    synchronized (device) {
      if (closed) {
        throw new IllegalStateException(batch().name() + ": the batch is closed");
      }
      bindings.check(batch());
      if (fallback != null) {
        return fallback.submit(bindings);
      }
      StepEvent step = Events.begin(StepEvent::new);
      try {
        backend.inFlight().makeRoom();
        sendSlots(bindings);
        long event = launcher.launch(bindings);
        device.counters().submits++;
        device.counters().weightBytesRead += weightBytes;
        if (step != null) {
          step.end(backend.name(), batch().name(), weightBytes);
        }
        return backend.inFlight().add(this, event);
      } catch (OpenClException e) {
        throw failed(e);
      }
    }
  }

  private BackendException failed(OpenClException e) {
    return new BackendException(
        "%s: the device must run the batch but failed; %s"
            .formatted(batch().name(), e.getMessage()),
        e);
  }

  /** Each step by the stream's kernel for it, timed by the device; host steps by the host. */
  @Override
  public List<StepTime> profile(Bindings bindings) {
    synchronized (device) {
      if (closed) {
        throw new IllegalStateException(batch().name() + ": the batch is closed");
      }
      bindings.check(batch());
      try {
        sendSlots(bindings);
        backend.inFlight().settle();
        device.finish();
        device.counters().submits++;
        device.counters().weightBytesRead += weightBytes;
        StreamLauncher stream = new StreamLauncher(device, lowered, geometry, control);
        try {
          return stream.profile(bindings);
        } finally {
          stream.release();
        }
      } catch (OpenClException e) {
        throw failed(e);
      }
    }
  }

  private void sendSlots(Bindings bindings) {
    lowered.encoder().encodeSlots(bindings, slots);
    if (!sent || slots.mismatch(sentSlots) >= 0) {
      if (lowered.usesControl()) {
        sendSlots(slots);
      }
      sentSlots.copyFrom(slots);
    }
  }

  private void sendSlots(MemorySegment values) {
    sent = false;
    long bytes = lowered.encoder().slotBytes();
    device.write(control, 4L * StepEncoder.HEADER_WORDS, values.asSlice(0, bytes));
    sent = true;
  }

  /** Whether a finished submit gave up at its grid barrier. */
  boolean faulted() {
    return fallback == null && launcher.faulted();
  }

  /** After a timeout: from now on by {@code Stream}, and the last submit once more. */
  void recover() {
    LOG.log(
        Level.WARNING,
        "{0}: the work-groups of one launch waited too long for each other; the batch runs as a"
            + " stream now",
        batch().name());
    device.counters().fallbacks++;
    FallbackEvent.record("persistent " + batch().name(), "stream", "a wait timed out");
    if (lowered.decoder() != null) {
      recoverDecoder();
      return;
    }
    Launcher stream = new StreamLauncher(device, lowered, geometry, control);
    launcher.release();
    launcher = stream;
    sendWords();
    // The bindings may have changed since; what was sent has not.
    sendSlots(sentSlots);
    device.cl().releaseEvent(launcher.launch(batch().bindings()));
    device.finish();
  }

  private void recoverDecoder() {
    Map<String, String> plain = new HashMap<>(options.settings());
    plain.put("opencl.strategy", "stream");
    fallback =
        (CompiledOpenClBatch)
            backend.compile(batch(), new CompileOptions(options.precision(), plain));
    fallback.sendSlots(sentSlots);
    device.cl().releaseEvent(fallback.launcher.launch(batch().bindings()));
    device.finish();
  }

  @Override
  public String explain() {
    synchronized (device) {
      if (fallback != null) {
        return fallback.explain();
      }
      return Explanation.of(lowered, geometry, launcher.describe(), persistentRefused);
    }
  }

  @Override
  public void close() {
    synchronized (device) {
      if (fallback != null) {
        fallback.close();
      }
      if (!closed && !backend.closed()) {
        backend.inFlight().settle();
        device.drain();
        launcher.release();
        device.cl().releaseBuffer(control);
        device.memory().free(lowered.scratch());
        backend.closed(this, lowered.weights());
      }
      closed = true;
    }
  }

  /** What the backend does with open batches when it closes. */
  static void closeAll(Set<CompiledOpenClBatch> batches) {
    List.copyOf(batches).forEach(CompiledOpenClBatch::close);
  }
}
