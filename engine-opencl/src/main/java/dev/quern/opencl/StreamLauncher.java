package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.core.StepTime;
import dev.quern.core.op.Op;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The strategy {@code Stream}: one launch after another without waiting between them. Steps of one
 * wave whose kernel bodies join are one launch.
 */
final class StreamLauncher implements Launcher {
  private final OpenDevice device;
  private final Lowered lowered;
  private final Geometry geometry;
  private final Map<List<Body>, Long> kernels = new HashMap<>();
  private final List<Piece> order;
  private @Nullable DecoderKernel decoder;
  private int arenas;

  /**
   * What runs at once: a step, or several kernel steps whose bodies join.
   *
   * @param step the first
   * @param bodies what runs, each once
   * @param ops what they do
   * @param groups work-groups of them all
   * @param position where the first begins
   */
  private record Piece(Step step, List<Body> bodies, List<Op> ops, int groups, int position) {
    /** The step that runs as number {@code order}. */
    static Piece of(Step step, StepEncoder encoder, int order) {
      int position = encoder.stepAt(order);
      return step instanceof Step.Kernel kernel
          ? new Piece(step, List.of(kernel.body()), kernel.ops(), encoder.groups(order), position)
          : new Piece(step, List.of(), List.of(step.op()), 0, position);
    }

    boolean joins(Piece next) {
      return !bodies.isEmpty()
          && !next.bodies.isEmpty()
          && bodies.getFirst().joins(next.bodies.getFirst());
    }

    Piece with(Piece next) {
      return new Piece(
          step,
          Stream.concat(bodies.stream(), next.bodies.stream()).distinct().toList(),
          Stream.concat(ops.stream(), next.ops.stream()).toList(),
          groups + next.groups,
          position);
    }
  }

  /** Builds the kernels that are not built yet. */
  StreamLauncher(OpenDevice device, Lowered lowered, Geometry geometry, long control) {
    this.device = device;
    this.lowered = lowered;
    this.geometry = geometry;
    order = pieces(lowered);
    try {
      for (Piece piece : order) {
        if (!piece.bodies.isEmpty() && !kernels.containsKey(piece.bodies)) {
          kernels.put(piece.bodies, kernel(piece.bodies, control));
        }
      }
      Step.Decoder step = lowered.decoder();
      decoder = step == null ? null : new DecoderKernel(device, step.shape(), lowered.encoder());
    } catch (OpenClException e) {
      release();
      throw e;
    }
  }

  private static List<Piece> pieces(Lowered lowered) {
    List<Piece> pieces = new ArrayList<>();
    int placed = 0;
    for (List<Integer> wave : lowered.plan().waves()) {
      int begin = pieces.size();
      for (int i : wave) {
        Piece piece = Piece.of(lowered.steps().get(i), lowered.encoder(), placed++);
        if (pieces.size() > begin && pieces.getLast().joins(piece)) {
          pieces.add(pieces.removeLast().with(piece));
        } else {
          pieces.add(piece);
        }
      }
    }
    return List.copyOf(pieces);
  }

  private long kernel(List<Body> bodies, long control) {
    OpenCl cl = device.cl();
    String source = ProgramText.step(bodies, lowered.bodies(), geometry);
    long kernel = cl.createKernel(device.program(source, BuildOptions.of(device)), "run_step");
    try {
      KernelArguments.setControl(cl, device.memory(), kernel, control);
      return kernel;
    } catch (OpenClException e) {
      cl.releaseKernel(kernel);
      throw e;
    }
  }

  @Override
  public long launch(Bindings bindings) {
    OpenCl cl = device.cl();
    setArenas();
    for (Piece piece : order) {
      switch (piece.step) {
        case Step.Kernel _ -> launch(piece);
        case Step.Decoder _ -> decoder().launch(bindings);
        case Step.Host step -> HostSteps.run(device, lowered, step, bindings);
      }
    }
    return device.flushed(cl.marker(device.queue()));
  }

  private void setArenas() {
    if (arenas != device.memory().arenas()) {
      kernels.values().forEach(k -> KernelArguments.setArenas(device.cl(), device.memory(), k));
      arenas = device.memory().arenas();
    }
  }

  private void launch(Piece piece) {
    int group = piece.bodies.getFirst().group(geometry);
    long items = (long) piece.groups * group;
    device.cl().launch(device.queue(), positioned(piece), items, group);
    device.counters().launches++;
  }

  private long positioned(Piece piece) {
    Long kernel = kernels.get(piece.bodies);
    if (kernel == null) {
      throw new IllegalStateException("no kernel was made for " + piece.bodies);
    }
    KernelArguments.setPosition(device.cl(), device.memory(), kernel, piece.position);
    return kernel;
  }

  /** Runs all steps, waiting after each; the device's queue must be empty. */
  List<StepTime> profile(Bindings bindings) {
    OpenCl cl = device.cl();
    setArenas();
    long queue = cl.createQueue(device.context(), device.device().handle(), true);
    try {
      List<StepTime> times = new ArrayList<>();
      for (Piece piece : order) {
        times.add(
            switch (piece.step) {
              case Step.Kernel _ -> time(queue, piece);
              case Step.Decoder step -> time(step, bindings);
              case Step.Host step -> time(step, bindings);
            });
      }
      return times;
    } finally {
      cl.releaseQueue(queue);
    }
  }

  private StepTime time(long queue, Piece piece) {
    OpenCl cl = device.cl();
    long kernel = positioned(piece);
    int group = piece.bodies.getFirst().group(geometry);
    long event = cl.launchWithEvent(queue, kernel, (long) piece.groups * group, group);
    try {
      String names = piece.bodies.stream().map(Body::name).collect(Collectors.joining(" + "));
      return new StepTime(piece.ops, names, EventTime.nanos(cl, event));
    } finally {
      cl.releaseEvent(event);
    }
  }

  private StepTime time(Step.Decoder step, Bindings bindings) {
    long start = System.nanoTime();
    decoder().launch(bindings);
    device.finish();
    List<Op> ops = lowered.batch().ops().subList(0, step.shape().ops().count());
    return new StepTime(ops, "decoder", System.nanoTime() - start);
  }

  private StepTime time(Step.Host step, Bindings bindings) {
    long start = System.nanoTime();
    HostSteps.run(device, lowered, step, bindings);
    return new StepTime(List.of(step.op()), "host", System.nanoTime() - start);
  }

  private DecoderKernel decoder() {
    return Objects.requireNonNull(decoder, "no kernel was made for the decoder");
  }

  @Override
  public boolean faulted() {
    return decoder != null && decoder.faulted();
  }

  @Override
  public String describe() {
    return decoder == null
        ? "stream: %d launches, work-groups of %d".formatted(order.size(), geometry.group())
        : "decoder: " + decoder.describe();
  }

  @Override
  public void release() {
    if (decoder != null) {
      decoder.release();
      decoder = null;
    }
    kernels.values().forEach(device.cl()::releaseKernel);
    kernels.clear();
  }
}
