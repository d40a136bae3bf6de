package dev.quern.core;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory of the machine that the JVM runs on. */
public final class HostMemory {
  private HostMemory() {}

  /**
   * Bytes of physical memory, or of what a container allows. Models lie outside of the Java heap,
   * so the size of the heap says nothing about what fits.
   */
  public static long bytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : Runtime.getRuntime().maxMemory();
  }
}
