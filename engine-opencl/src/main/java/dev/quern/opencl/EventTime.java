package dev.quern.opencl;

import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;

/** Reads the time stamps of events. */
final class EventTime {
  private EventTime() {}

  /** Waits for an event of a profiling queue and answers for how many nanoseconds it ran. */
  static long nanos(OpenCl cl, long event) {
    cl.await(event);
    return cl.profilingTime(event, Cl.CL_PROFILING_COMMAND_END)
        - cl.profilingTime(event, Cl.CL_PROFILING_COMMAND_START);
  }
}
