package dev.quern.opencl;

import dev.quern.core.Device;
import dev.quern.opencl.binding.Cl;
import dev.quern.opencl.binding.OpenCl;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * A device of any platform.
 *
 * @param index its number in {@code opencl:N}: best device first, over all platforms
 * @param platform handle of its platform
 * @param handle handle of the device
 * @param platformVersion version text of its platform
 * @param maxGroup largest work-group
 * @param localMemory bytes of local memory a work-group can have
 * @param info what the core knows of it
 */
record ClDevice(
    int index,
    long platform,
    long handle,
    String platformVersion,
    int maxGroup,
    long localMemory,
    Device info) {
  private static final String NV_QUERY = "cl_nv_device_attribute_query";
  private static final String HOPPER = "sm_90";
  private static final String UNIFIED = "host_unified_memory";

  /** Whether the device executes kernels on the host's processor. */
  boolean cpu() {
    return info.kind() == Device.Kind.CPU;
  }

  /** Whether its memory is that of the host. */
  boolean unified() {
    return info.features().contains(UNIFIED);
  }

  /** Whether the driver is NVIDIA's: its build log tells registers, its compiler takes PTX. */
  boolean nvidia() {
    return info.features().contains(NV_QUERY);
  }

  /** Whether it is NVIDIA's architecture Hopper, whose tensor cores take {@code wgmma}. */
  boolean hopper() {
    return info.features().contains(HOPPER);
  }

  /** As {@link #list(OpenCl, String)} for {@code opencl}. */
  static List<ClDevice> list(OpenCl cl) {
    return list(cl, OpenClBackendProvider.NAME);
  }

  /**
   * Finds the usable devices of all platforms: GPUs first, then by platform and device order.
   *
   * @param provider what users write before the number of a device
   */
  static List<ClDevice> list(OpenCl cl, String provider) {
    List<ClDevice> found = new ArrayList<>();
    for (long platform : cl.platforms()) {
      for (long device : cl.devices(platform)) {
        if (usable(cl, device)) {
          found.add(describe(cl, provider, platform, device));
        }
      }
    }
    found.sort(Comparator.comparingInt((ClDevice d) -> rank(d.info.kind())));
    List<ClDevice> numbered = new ArrayList<>();
    for (ClDevice device : found) {
      numbered.add(device.numbered(numbered.size()));
    }
    return List.copyOf(numbered);
  }

  private static boolean usable(OpenCl cl, long device) {
    return cl.deviceNumber(device, Cl.CL_DEVICE_AVAILABLE) != 0
        && cl.deviceNumber(device, Cl.CL_DEVICE_COMPILER_AVAILABLE) != 0
        && cl.deviceNumber(device, Cl.CL_DEVICE_ENDIAN_LITTLE) != 0;
  }

  private static int rank(Device.Kind kind) {
    return switch (kind) {
      case GPU -> 0;
      case OTHER -> 1;
      case CPU -> 2;
    };
  }

  private static ClDevice describe(OpenCl cl, String provider, long platform, long device) {
    Device info =
        new Device(
            provider,
            cl.deviceText(device, Cl.CL_DEVICE_NAME),
            cl.deviceText(device, Cl.CL_DEVICE_VENDOR),
            kind(cl.deviceNumber(device, Cl.CL_DEVICE_TYPE)),
            cl.deviceNumber(device, Cl.CL_DEVICE_GLOBAL_MEM_SIZE),
            cl.deviceNumber(device, Cl.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
            (int) cl.deviceNumber(device, Cl.CL_DEVICE_MAX_COMPUTE_UNITS),
            cl.deviceText(device, Cl.CL_DRIVER_VERSION),
            features(cl, device));
    return new ClDevice(
        0,
        platform,
        device,
        cl.platformText(platform, Cl.CL_PLATFORM_VERSION),
        (int) cl.deviceNumber(device, Cl.CL_DEVICE_MAX_WORK_GROUP_SIZE),
        cl.deviceNumber(device, Cl.CL_DEVICE_LOCAL_MEM_SIZE),
        info);
  }

  private static Device.Kind kind(long type) {
    if ((type & Cl.CL_DEVICE_TYPE_GPU) != 0) {
      return Device.Kind.GPU;
    }
    return (type & Cl.CL_DEVICE_TYPE_CPU) != 0 ? Device.Kind.CPU : Device.Kind.OTHER;
  }

  private static List<String> features(OpenCl cl, long device) {
    List<String> features = new ArrayList<>();
    features.add(cl.deviceText(device, Cl.CL_DEVICE_VERSION));
    String extensions = cl.deviceText(device, Cl.CL_DEVICE_EXTENSIONS);
    if (!extensions.isEmpty()) {
      features.addAll(List.of(extensions.split("\\s+")));
    }
    if (cl.deviceNumber(device, Cl.CL_DEVICE_HOST_UNIFIED_MEMORY) != 0) {
      features.add(UNIFIED);
    }
    if (features.contains(NV_QUERY)) {
      long major = cl.deviceNumber(device, Cl.CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV);
      long minor = cl.deviceNumber(device, Cl.CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV);
      features.add("sm_%d%d".formatted(major, minor));
    }
    return features;
  }

  private ClDevice numbered(int number) {
    return with(number, info.id() + ":" + number, info.memoryBytes(), info.maxAllocationBytes());
  }

  /** This device, with other limits where they are not 0. */
  ClDevice limited(long memory, long maxAllocation) {
    long bytes = memory == 0 ? info.memoryBytes() : memory;
    long most = maxAllocation == 0 ? info.maxAllocationBytes() : maxAllocation;
    return with(index, info.id(), bytes, Math.min(bytes, most));
  }

  private ClDevice with(int number, String id, long memory, long maxAllocation) {
    Device changed =
        new Device(
            id,
            info.name(),
            info.vendor(),
            info.kind(),
            memory,
            maxAllocation,
            info.computeUnits(),
            info.driver(),
            info.features());
    return new ClDevice(number, platform, handle, platformVersion, maxGroup, localMemory, changed);
  }

  /**
   * How many arenas kernels take: eight, which is enough where the largest allocation is at least
   * an eighth of the memory, and more elsewhere.
   */
  int arenas() {
    long needed = info.memoryBytes() / Math.max(1, info.maxAllocationBytes()) + 2;
    return Math.clamp(needed, DeviceMemory.LEAST_ARENAS, DeviceMemory.MOST_ARENAS);
  }

  /** Whether {@code wanted}, a part of a name in any case, names this device. */
  boolean named(String wanted) {
    return info.name().toLowerCase(Locale.ROOT).contains(wanted.toLowerCase(Locale.ROOT));
  }
}
