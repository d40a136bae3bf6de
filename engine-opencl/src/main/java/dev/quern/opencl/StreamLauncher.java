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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The strategy {@code Stream}: one launch after another without waiting between them. Steps of one
 * wave with the same kernel body are one launch.
 */
final class StreamLauncher implements Launcher {
  private final OpenDevice device;
  private final Lowered lowered;
  private final Geometry geometry;
  private final Map<Body, Long> kernels = new HashMap<>();
  private final List<Piece> order = new ArrayList<>();
  private @Nullable DecoderKernel decoder;
  private int arenas;
  private int placed;

  /**
   * What runs at once: a step, or several kernel steps with the same body.
   *
   * @param step the first
   * @param ops what they do
   * @param groups work-groups of them all
   * @param position where the first begins
   */
  private record Piece(Step step, List<Op> ops, int groups, int position) {
    static Piece of(Step step, Geometry geometry, int position) {
      return step instanceof Step.Kernel kernel
          ? new Piece(step, kernel.ops(), geometry.launchGroups(kernel.tasks()), position)
          : new Piece(step, List.of(step.op()), 0, position);
    }

    Piece with(Piece next) {
      List<Op> all = Stream.concat(ops.stream(), next.ops.stream()).toList();
      return new Piece(step, all, groups + next.groups, position);
    }
  }

  /** Builds the kernels that are not built yet. */
  StreamLauncher(OpenDevice device, Lowered lowered, Geometry geometry, long control) {
    this.device = device;
    this.lowered = lowered;
    this.geometry = geometry;
    lowered.plan().waves().forEach(this::add);
    try {
      lowered.bodies().forEach(body -> kernels.put(body, kernel(body, control)));
      Step.Decoder step = lowered.decoder();
      decoder = step == null ? null : new DecoderKernel(device, step.shape(), lowered.encoder());
    } catch (OpenClException e) {
      release();
      throw e;
    }
  }

  private void add(List<Integer> wave) {
    int begin = order.size();
    for (int i : wave) {
      Step step = lowered.steps().get(i);
      Piece piece = Piece.of(step, geometry, lowered.encoder().stepAt(placed++));
      Body body = step.body();
      if (order.size() > begin && body != null && body.equals(order.getLast().step.body())) {
        order.add(order.removeLast().with(piece));
      } else {
        order.add(piece);
      }
    }
  }

  private long kernel(Body body, long control) {
    OpenCl cl = device.cl();
    String source = ProgramText.single(body, geometry);
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
        case Step.Kernel step -> launch(step.body(), piece);
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

  private void launch(Body body, Piece piece) {
    int group = body.group(geometry);
    long items = (long) piece.groups * group;
    device.cl().launch(device.queue(), positioned(body, piece.position), items, group);
    device.counters().launches++;
  }

  private long positioned(Body body, int position) {
    Long kernel = kernels.get(body);
    if (kernel == null) {
      throw new IllegalStateException("no kernel was made for " + body.name());
    }
    KernelArguments.setPosition(device.cl(), device.memory(), kernel, position);
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
              case Step.Kernel step -> time(queue, step.body(), piece);
              case Step.Decoder step -> time(step, bindings);
              case Step.Host step -> time(step, bindings);
            });
      }
      return times;
    } finally {
      cl.releaseQueue(queue);
    }
  }

  private StepTime time(long queue, Body body, Piece piece) {
    OpenCl cl = device.cl();
    long kernel = positioned(body, piece.position);
    int group = body.group(geometry);
    long event = cl.launchWithEvent(queue, kernel, (long) piece.groups * group, group);
    try {
      return new StepTime(piece.ops, body.name(), EventTime.nanos(cl, event));
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
