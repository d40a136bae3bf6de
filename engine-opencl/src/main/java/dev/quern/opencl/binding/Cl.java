package dev.quern.opencl.binding;

/** The constants of {@code CL/cl.h} that the engine uses, under their C names. */
public final class Cl {
  private Cl() {}

  public static final int CL_PLATFORM_VERSION = 0x0901;
  public static final int CL_PLATFORM_NAME = 0x0902;

  public static final int CL_DEVICE_TYPE = 0x1000;
  public static final int CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002;
  public static final int CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004;
  public static final int CL_DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010;
  public static final int CL_DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019;
  public static final int CL_DEVICE_GLOBAL_MEM_SIZE = 0x101F;
  public static final int CL_DEVICE_LOCAL_MEM_SIZE = 0x1023;
  public static final int CL_DEVICE_ENDIAN_LITTLE = 0x1026;
  public static final int CL_DEVICE_AVAILABLE = 0x1027;
  public static final int CL_DEVICE_COMPILER_AVAILABLE = 0x1028;
  public static final int CL_DEVICE_NAME = 0x102B;
  public static final int CL_DEVICE_VENDOR = 0x102C;
  public static final int CL_DRIVER_VERSION = 0x102D;
  public static final int CL_DEVICE_VERSION = 0x102F;
  public static final int CL_DEVICE_EXTENSIONS = 0x1030;
  public static final int CL_DEVICE_HOST_UNIFIED_MEMORY = 0x1035;

  /** From {@code cl_nv_device_attribute_query}: registers of one work-group. */
  public static final int CL_DEVICE_REGISTERS_PER_BLOCK_NV = 0x4002;

  /** From {@code cl_nv_device_attribute_query}: major number of the compute capability. */
  public static final int CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV = 0x4000;

  /** From {@code cl_nv_device_attribute_query}: minor number of the compute capability. */
  public static final int CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV = 0x4001;

  public static final long CL_DEVICE_TYPE_CPU = 1 << 1;
  public static final long CL_DEVICE_TYPE_GPU = 1 << 2;
  public static final long CL_DEVICE_TYPE_ALL = 0xFFFFFFFFL;

  public static final long CL_CONTEXT_PLATFORM = 0x1084;
  public static final long CL_QUEUE_PROFILING_ENABLE = 1 << 1;

  public static final long CL_MEM_READ_WRITE = 1;
  public static final long CL_MEM_READ_ONLY = 1 << 2;
  public static final long CL_MEM_ALLOC_HOST_PTR = 1 << 4;

  public static final long CL_MAP_READ = 1;
  public static final long CL_MAP_WRITE = 1 << 1;

  public static final int CL_PROGRAM_BINARY_SIZES = 0x1165;
  public static final int CL_PROGRAM_BINARIES = 0x1166;
  public static final int CL_PROGRAM_BUILD_LOG = 0x1183;

  public static final int CL_KERNEL_WORK_GROUP_SIZE = 0x11B0;
  public static final int CL_KERNEL_LOCAL_MEM_SIZE = 0x11B2;
  public static final int CL_KERNEL_PRIVATE_MEM_SIZE = 0x11B4;

  public static final int CL_EVENT_COMMAND_EXECUTION_STATUS = 0x11D3;
  public static final int CL_PROFILING_COMMAND_START = 0x1282;
  public static final int CL_PROFILING_COMMAND_END = 0x1283;
}
