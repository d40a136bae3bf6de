package dev.quern.opencl;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many work-groups of a kernel a device holds at once: computed, never guessed. */
final class Residency {
  // Of every NVIDIA architecture since Maxwell; a lower number of registers only means fewer
  // groups.
  private static final int REGISTERS_PER_UNIT = 65_536;
  private static final int ITEMS_PER_UNIT = 1_024;
  private static final int REGISTER_GRANULE = 8;
  private static final Pattern USED = Pattern.compile("Used (\\d+) registers");

  private Residency() {}

  /**
   * Returns how many groups of a kernel fit one compute unit of an NVIDIA device. If the log does
   * not say how many registers the kernel uses, that is the one group that must fit for the kernel
   * to be launched at all.
   *
   * @param buildLog the log of a build with {@code -cl-nv-verbose}
   * @param localLimit local memory of a compute unit
   */
  static int groupsPerUnit(String buildLog, int group, int scratchBytes, long localLimit) {
    Matcher matcher = USED.matcher(buildLog);
    int registers = 0;
    while (matcher.find()) {
      registers = Math.max(registers, Integer.parseInt(matcher.group(1)));
    }
    if (registers == 0) {
      return 1;
    }
    int granules = (registers + REGISTER_GRANULE - 1) / REGISTER_GRANULE * REGISTER_GRANULE;
    long byRegisters = REGISTERS_PER_UNIT / ((long) granules * group);
    long byItems = ITEMS_PER_UNIT / group;
    long byLocal = localLimit / Math.max(1, scratchBytes);
    return (int) Math.max(1, Math.min(byRegisters, Math.min(byItems, byLocal)));
  }
}
