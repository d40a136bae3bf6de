package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;

/** The arguments that all kernels take: the arenas, the control words, and one position in them. */
final class KernelArguments {
  private KernelArguments() {}

  /** Sets the arenas; those that do not exist yet repeat the first. */
  static void setArenas(OpenCl cl, DeviceMemory memory, long kernel) {
    for (int i = 0; i < memory.mostArenas(); i++) {
      cl.setBuffer(kernel, i, memory.buffer(i < memory.arenas() ? i : 0));
    }
  }

  static void setControl(OpenCl cl, DeviceMemory memory, long kernel, long control) {
    cl.setBuffer(kernel, memory.mostArenas(), control);
  }

  static void setPosition(OpenCl cl, DeviceMemory memory, long kernel, int position) {
    cl.setInt(kernel, memory.mostArenas() + 1, position);
  }
}
