package dev.quern.opencl;

/** What the OpenCL compiler is told. Never an option that lets it assume away NaN or infinity. */
final class BuildOptions {
  private BuildOptions() {}

  static String of(OpenDevice device) {
    String options = "-cl-std=CL1.2";
    // NVIDIA's compiler takes PTX, and writes the registers of a kernel to the build log.
    return device.device().nvidia() ? options + " -DNVIDIA -cl-nv-verbose" : options;
  }
}
