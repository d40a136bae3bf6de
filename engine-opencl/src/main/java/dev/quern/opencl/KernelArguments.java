package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;

/** The arguments that all kernels take: the arenas, the control words, and one position in them. */
final class KernelArguments {
  private static final int CONTROL = DeviceMemory.MAX_ARENAS;
  private static final int POSITION = CONTROL + 1;

  private KernelArguments() {}

  /** Sets the arenas; those that do not exist yet repeat the first. */
  static void setArenas(OpenCl cl, DeviceMemory memory, long kernel) {
    for (int i = 0; i < DeviceMemory.MAX_ARENAS; i++) {
      cl.setBuffer(kernel, i, memory.buffer(i < memory.arenas() ? i : 0));
    }
  }

  static void setControl(OpenCl cl, long kernel, long control) {
    cl.setBuffer(kernel, CONTROL, control);
  }

  static void setPosition(OpenCl cl, long kernel, int position) {
    cl.setInt(kernel, POSITION, position);
  }
}
