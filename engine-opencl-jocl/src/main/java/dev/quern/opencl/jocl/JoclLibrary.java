package dev.quern.opencl.jocl;

import dev.quern.opencl.binding.OpenClUnavailableException;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.LibUtils;

/** Loads JOCL's native part, which is packed in its jar, and through it the OpenCL library. */
final class JoclLibrary {
  /** Read by JOCL while it unpacks. */
  private static final String UNIQUE_NAMES = "uniqueLibraryNames";

  /** The name under which this version of JOCL packs it. */
  private static final String NAME = "JOCL_2_0_6";

  private JoclLibrary() {}

  /** Why it cannot be loaded, as far as can be told without loading it. */
  static Optional<String> missing() {
    String file = LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName(NAME));
    return LibUtils.class.getResource("/lib/" + file) == null
        ? Optional.of(noLibrary())
        : Optional.empty();
  }

  private static String noLibrary() {
    return "JOCL: its jar must have a library for this system but has none for "
        + system()
        + "; use --backend opencl";
  }

  private static String system() {
    return System.getProperty("os.name") + " " + System.getProperty("os.arch");
  }

  /**
   * Loads it once.
   *
   * <p>JOCL unpacks into the folder for temporary files under a name that anybody can foresee, and
   * loads whatever lies there. On a machine that several people use that is somebody else's code,
   * so it is told to choose a name of its own.
   *
   * @throws OpenClUnavailableException if it has none for this system, or there is no OpenCL
   */
  static void load() throws OpenClUnavailableException {
    synchronized (JoclLibrary.class) {
      String before = System.getProperty(UNIQUE_NAMES);
      System.setProperty(UNIQUE_NAMES, "true");
      try {
        CL.setExceptionsEnabled(false);
      } catch (LinkageError e) {
        throw new OpenClUnavailableException(reason(e));
      } finally {
        if (before == null) {
          System.clearProperty(UNIQUE_NAMES);
        } else {
          System.setProperty(UNIQUE_NAMES, before);
        }
      }
    }
  }

  /** One line of what JOCL says in many. */
  static String reason(Throwable e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("IllegalCallerException")) {
      return "JOCL: native access must be enabled; add --enable-native-access=ALL-UNNAMED (or"
          + " =jocl)";
    }
    if (message.contains("No resource found")) {
      return noLibrary();
    }
    if (message.contains("Implementation library")) {
      return "OpenCL library: JOCL can load none; install a GPU driver, or for the CPU:"
          + " apt-get install ocl-icd-libopencl1 pocl-opencl-icd";
    }
    return "JOCL: its library must load on %s but does not (%s); use --backend opencl"
        .formatted(system(), message.lines().findFirst().orElse("no reason given"));
  }
}
