package dev.quern.opencl;

import dev.quern.core.Bindings;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The strategy {@code Persistent}: one launch runs the whole batch, its work-groups resident, with
 * a barrier of the whole grid between waves.
 */
final class PersistentLauncher implements Launcher {
  private final OpenDevice device;
  private final Geometry geometry;
  private final int groups;
  private final long kernel;
  private final long control;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment fault = arena.allocate(ValueLayout.JAVA_INT);
  private int arenas;

  private PersistentLauncher(
      OpenDevice device, Geometry geometry, int groups, long kernel, long control) {
    this.device = device;
    this.geometry = geometry;
    this.groups = groups;
    this.kernel = kernel;
    this.control = control;
  }

  /** A launcher, or why there is none. */
  sealed interface Attempt {
    /** It can run so. */
    record Ready(PersistentLauncher launcher) implements Attempt {}

    /** It cannot. */
    record Refused(String reason) implements Attempt {}
  }

  /** Builds the kernel and computes how many of its groups are resident. */
  static Attempt attempt(
      OpenDevice device, Lowered lowered, Geometry geometry, Settings settings, long control) {
    if (lowered.needsHost()) {
      return new Attempt.Refused("a step runs on the host");
    }
    if (lowered.bodies().stream().anyMatch(b -> b.group(geometry) != geometry.group())) {
      return new Attempt.Refused("a step needs work-groups of its own size");
    }
    OpenCl cl = device.cl();
    long handle = device.device().handle();
    long program =
        device.program(ProgramText.persistent(lowered.bodies(), geometry), BuildOptions.of(device));
    // A group at least fits every unit of a GPU, or the kernel could not be launched at all.
    int resident =
        device.device().nvidia()
            ? Residency.groupsPerUnit(
                cl.buildLog(program, handle),
                geometry.group(),
                ProgramText.scratchBytes(lowered.bodies()),
                device.device().localMemory())
            : 1;
    int most = device.device().info().computeUnits() * resident;
    if (settings.groups() > most) {
      return new Attempt.Refused(
          "opencl.groups is %d but only %d are resident".formatted(settings.groups(), most));
    }
    long kernel = cl.createKernel(program, "run_batch");
    try {
      KernelArguments.setControl(cl, device.memory(), kernel, control);
      KernelArguments.setPosition(cl, device.memory(), kernel, lowered.encoder().wavesAt());
    } catch (OpenClException e) {
      cl.releaseKernel(kernel);
      throw e;
    }
    int groups = settings.groups() == 0 ? most : settings.groups();
    return new Attempt.Ready(new PersistentLauncher(device, geometry, groups, kernel, control));
  }

  @Override
  public long launch(Bindings bindings) {
    OpenCl cl = device.cl();
    if (arenas != device.memory().arenas()) {
      KernelArguments.setArenas(cl, device.memory(), kernel);
      arenas = device.memory().arenas();
    }
    long items = (long) groups * geometry.group();
    cl.launch(device.queue(), kernel, items, geometry.group());
    device.counters().launches++;
    // Follows the launch without waiting, so that looking at the fault later costs no round trip.
    return device.flushed(
        cl.readAsync(device.queue(), control, 4L * StepEncoder.FAULT_WORD, fault));
  }

  @Override
  public boolean faulted() {
    return fault.get(ValueLayout.JAVA_INT, 0) != 0;
  }

  @Override
  public String describe() {
    return "persistent: one launch, %d work-groups of %d".formatted(groups, geometry.group());
  }

  @Override
  public void release() {
    device.cl().releaseKernel(kernel);
    arena.close();
  }
}
