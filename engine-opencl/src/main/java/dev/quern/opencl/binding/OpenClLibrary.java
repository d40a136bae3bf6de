package dev.quern.opencl.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Finds the OpenCL library under the names that it usually has. */
final class OpenClLibrary {
  private OpenClLibrary() {}

  /** Returns the names to try on an operating system, best first. */
  static List<String> names(String operatingSystem) {
    String os = operatingSystem.toLowerCase(Locale.ROOT);
    if (os.startsWith("win")) {
      return List.of("OpenCL.dll");
    }
    if (os.contains("mac") || os.contains("darwin")) {
      return List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL", "libOpenCL.dylib");
    }
    return List.of("libOpenCL.so.1", "libOpenCL.so");
  }

  /**
   * Opens the first library that exists. It stays loaded as long as the JVM runs: drivers keep
   * threads of their own, so unloading one is not safe.
   *
   * @throws OpenClUnavailableException if there is none, naming what was tried and what to install
   */
  @SuppressWarnings("restricted")
  static SymbolLookup open(List<String> names) throws OpenClUnavailableException {
    List<String> failures = new ArrayList<>();
    for (String name : names) {
      try {
        return SymbolLookup.libraryLookup(name, Arena.global());
      } catch (IllegalArgumentException e) {
        failures.add(name);
      } catch (IllegalCallerException e) {
        throw new OpenClUnavailableException(
            "OpenCL library: native access must be enabled; add"
                + " --enable-native-access=ALL-UNNAMED (or =dev.quern.opencl)");
      }
    }
    throw new OpenClUnavailableException(
        "OpenCL library: none of "
            + String.join(", ", failures)
            + " can be loaded; install a GPU driver, or for the CPU:"
            + " apt-get install ocl-icd-libopencl1 pocl-opencl-icd");
  }
}
