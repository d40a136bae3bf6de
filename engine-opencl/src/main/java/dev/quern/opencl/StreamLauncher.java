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
import org.jspecify.annotations.Nullable;

/** The strategy {@code Stream}: one launch a step, in order, without waiting between them. */
final class StreamLauncher implements Launcher {
  private final OpenDevice device;
  private final Lowered lowered;
  private final Geometry geometry;
  private final Map<Body, Long> kernels = new HashMap<>();
  private final List<Step> order = new ArrayList<>();
  private @Nullable DecoderKernel decoder;
  private int arenas;

  /** Builds the kernels that are not built yet. */
  StreamLauncher(OpenDevice device, Lowered lowered, Geometry geometry, long control) {
    this.device = device;
    this.lowered = lowered;
    this.geometry = geometry;
    lowered.plan().waves().forEach(wave -> wave.forEach(i -> order.add(lowered.steps().get(i))));
    try {
      lowered.bodies().forEach(body -> kernels.put(body, kernel(body, control)));
      Step.Decoder step = lowered.decoder();
      decoder = step == null ? null : new DecoderKernel(device, step.shape(), lowered.encoder());
    } catch (OpenClException e) {
      release();
      throw e;
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
    for (int i = 0; i < order.size(); i++) {
      switch (order.get(i)) {
        case Step.Kernel step -> launch(step, lowered.encoder().stepAt(i));
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

  private void launch(Step.Kernel step, int position) {
    int group = step.body().group(geometry);
    device.cl().launch(device.queue(), positioned(step, position), items(step), group);
    device.counters().launches++;
  }

  private long positioned(Step.Kernel step, int position) {
    Long kernel = kernels.get(step.body());
    if (kernel == null) {
      throw new IllegalStateException("no kernel was made for " + step.body().name());
    }
    KernelArguments.setPosition(device.cl(), device.memory(), kernel, position);
    return kernel;
  }

  private long items(Step.Kernel step) {
    return (long) geometry.launchGroups(step.tasks()) * step.body().group(geometry);
  }

  /** Runs all steps, waiting after each; the device's queue must be empty. */
  List<StepTime> profile(Bindings bindings) {
    OpenCl cl = device.cl();
    setArenas();
    long queue = cl.createQueue(device.context(), device.device().handle(), true);
    try {
      List<StepTime> times = new ArrayList<>();
      for (int i = 0; i < order.size(); i++) {
        times.add(
            switch (order.get(i)) {
              case Step.Kernel step -> time(queue, step, lowered.encoder().stepAt(i));
              case Step.Decoder step -> time(step, bindings);
              case Step.Host step -> time(step, bindings);
            });
      }
      return times;
    } finally {
      cl.releaseQueue(queue);
    }
  }

  private StepTime time(long queue, Step.Kernel step, int position) {
    OpenCl cl = device.cl();
    long kernel = positioned(step, position);
    long event = cl.launchWithEvent(queue, kernel, items(step), step.body().group(geometry));
    try {
      return new StepTime(List.of(step.op()), step.body().name(), EventTime.nanos(cl, event));
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
        ? "stream: one launch a step, work-groups of " + geometry.group()
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
