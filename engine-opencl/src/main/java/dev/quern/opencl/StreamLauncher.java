package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The strategy {@code Stream}: one launch a step, in order, without waiting between them. */
final class StreamLauncher implements Launcher {
  private final OpenDevice device;
  private final Lowered lowered;
  private final Geometry geometry;
  private final Map<Body, Long> kernels = new HashMap<>();
  private final List<Step> order = new ArrayList<>();
  private int arenas;

  /** Builds the kernels that are not built yet. */
  StreamLauncher(OpenDevice device, Lowered lowered, Geometry geometry, long control) {
    this.device = device;
    this.lowered = lowered;
    this.geometry = geometry;
    lowered.plan().waves().forEach(wave -> wave.forEach(i -> order.add(lowered.steps().get(i))));
    try {
      lowered.bodies().forEach(body -> kernels.put(body, kernel(body, control)));
    } catch (OpenClException e) {
      release();
      throw e;
    }
  }

  private long kernel(Body body, long control) {
    OpenCl cl = device.cl();
    String source = ProgramText.single(body, geometry);
    long kernel = cl.createKernel(device.program(source, BuildOptions.of(device)), "run_step");
    KernelArguments.setControl(cl, kernel, control);
    return kernel;
  }

  @Override
  public long launch(Bindings bindings) {
    OpenCl cl = device.cl();
    if (arenas != device.memory().arenas()) {
      arenas = device.memory().arenas();
      kernels.values().forEach(k -> KernelArguments.setArenas(cl, device.memory(), k));
    }
    for (int i = 0; i < order.size(); i++) {
      switch (order.get(i)) {
        case Step.Kernel step -> launch(step, lowered.encoder().stepAt(i));
        case Step.Host step -> HostSteps.run(device, lowered, step, bindings);
      }
    }
    long event = cl.marker(device.queue());
    cl.flush(device.queue());
    return event;
  }

  private void launch(Step.Kernel step, int position) {
    OpenCl cl = device.cl();
    Long kernel = kernels.get(step.body());
    if (kernel == null) {
      throw new IllegalStateException("no kernel was made for " + step.body().name());
    }
    KernelArguments.setPosition(cl, kernel, position);
    long items = (long) geometry.launchGroups(step.tasks()) * geometry.group();
    cl.launch(device.queue(), kernel, items, geometry.group());
    device.counters().launches++;
  }

  @Override
  public String describe() {
    return "stream: one launch a step, work-groups of " + geometry.group();
  }

  @Override
  public void release() {
    kernels.values().forEach(device.cl()::releaseKernel);
    kernels.clear();
  }
}
