package dev.quern.opencl;

import dev.quern.core.Limits;
import dev.quern.kernels.cl.KernelSources;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;

/**
 * Measures what a device reaches at best, by the time stamps of its events. The caller holds the
 * lock of the device.
 */
final class Ceiling {
  /** Beyond the caches: of a processor, and of a GPU. */
  private static final long CPU_BYTES = 256L << 20;

  private static final long GPU_BYTES = 2L << 30;
  private static final int FMA_STEPS = 1 << 14;
  private static final int FLOPS_PER_STEP = 16;

  private final OpenDevice device;
  private final OpenCl cl;
  private final boolean cpu;
  private final int group;
  private final long items;

  /** Floats of a work-item: a core of a processor is one work-item. */
  private final int width;

  Ceiling(OpenDevice device) {
    this.device = device;
    cl = device.cl();
    cpu = device.device().cpu();
    group = cpu ? 1 : Math.min(256, Integer.highestOneBit(device.device().maxGroup()));
    int perUnit = cpu ? 1 : 16;
    items = (long) device.device().info().computeUnits() * perUnit * group;
    width = cpu ? 16 : 4;
  }

  Limits measure() {
    long most = device.device().info().maxAllocationBytes();
    long wanted = Math.min(cpu ? CPU_BYTES : GPU_BYTES, most);
    // a multiple of four vectors for each item
    int each = Math.toIntExact(wanted / (4L * width) / items / 4 * 4);
    long bytes = 4L * width * items * each;
    try (Resources r = new Resources()) {
      r.x = cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, bytes);
      r.sums = cl.createBuffer(device.context(), Cl.CL_MEM_READ_WRITE, 4L * width * items);
      cl.fill(r.queue, r.x, 0, bytes, (byte) 1);
      long program = device.program(source(), BuildOptions.of(device));
      r.read = cl.createKernel(program, "ceiling_read");
      cl.setBuffer(r.read, 0, r.x);
      cl.setBuffer(r.read, 1, r.sums);
      cl.setInt(r.read, 2, each);
      r.fma = cl.createKernel(program, "ceiling_fma");
      cl.setBuffer(r.fma, 0, r.sums);
      cl.setInt(r.fma, 1, FMA_STEPS);
      return new Limits(
          rate(r.queue, r.read, (double) bytes),
          rate(r.queue, r.fma, (double) items * lanes() * FMA_STEPS * FLOPS_PER_STEP));
    }
  }

  /** Floats that a work-item multiplies side by side. */
  private int lanes() {
    return cpu ? 16 : 1;
  }

  private String source() {
    return "#define WIDE uint%d%n#define FLOATS %s%n%s"
            .formatted(width, cpu ? "float16" : "float", cpu ? "" : "#define SPREAD 1\n")
        + KernelSources.text("launch/ceiling.cl");
  }

  private double rate(long queue, long kernel, double amount) {
    return Limits.best(() -> amount * 1e9 / Math.max(1, nanos(queue, kernel)));
  }

  private long nanos(long queue, long kernel) {
    long event = cl.launchWithEvent(queue, kernel, items, group);
    try {
      return EventTime.nanos(cl, event);
    } finally {
      cl.releaseEvent(event);
    }
  }

  /** What is released at the end, whatever happens; 0 is nothing. */
  private final class Resources implements AutoCloseable {
    private final long queue = cl.createQueue(device.context(), device.device().handle(), true);
    private long x;
    private long sums;
    private long read;
    private long fma;

    @Override
    public void close() {
      cl.finish(queue);
      for (long kernel : new long[] {read, fma}) {
        if (kernel != 0) {
          cl.releaseKernel(kernel);
        }
      }
      for (long buffer : new long[] {x, sums}) {
        if (buffer != 0) {
          cl.releaseBuffer(buffer);
        }
      }
      cl.releaseQueue(queue);
    }
  }
}
