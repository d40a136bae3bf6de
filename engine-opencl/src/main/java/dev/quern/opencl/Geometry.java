package dev.quern.opencl;

/**
 * How work is cut for a device.
 *
 * @param group work-items in a work-group; 1 on CPU devices, where the vector types of the kernels
 *     fill the vector unit and barriers cost most
 * @param groups most work-groups of a plain launch
 * @param arenas how many arenas kernels take
 */
record Geometry(int group, int groups, int arenas) {
  /** On a GPU: enough items to hide latency while registers still allow two groups a unit. */
  private static final int GPU_GROUP = 256;

  /** Groups per compute unit: on a CPU a few, so that uneven tails even out. */
  private static final int CPU_GROUPS_PER_UNIT = 4;

  private static final int GPU_GROUPS_PER_UNIT = 16;

  static Geometry of(ClDevice device, Settings settings) {
    int usual = device.cpu() ? 1 : Math.min(GPU_GROUP, Integer.highestOneBit(device.maxGroup()));
    int group = settings.groupSize() == 0 ? usual : settings.groupSize();
    int perUnit = device.cpu() ? CPU_GROUPS_PER_UNIT : GPU_GROUPS_PER_UNIT;
    return new Geometry(group, perUnit * device.info().computeUnits(), device.arenas());
  }

  /** Work-items that share one row of a weight, as {@code LANES} in the kernels. */
  int lanes() {
    return Math.min(group, 32);
  }

  /** The number of groups for {@code items} independent work-items. */
  long groupsFor(long items) {
    return (items + group - 1) / group;
  }

  /** The number of groups of a plain launch that has {@code tasks} to do. */
  int launchGroups(long tasks) {
    return (int) Math.max(1, Math.min(tasks, groups));
  }
}
