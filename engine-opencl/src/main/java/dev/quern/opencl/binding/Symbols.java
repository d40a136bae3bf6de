package dev.quern.opencl.binding;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/**
 * The functions of the OpenCL library, each a method handle annotated with its C signature.
 *
 * <p>A letter of the signature is a C type, the first one the result: {@code i} is 32 bits ({@code
 * cl_int}, {@code cl_uint}, {@code cl_bool}), {@code h} is 64 bits (a handle, {@code size_t},
 * {@code cl_bitfield}), {@code p} points to host memory. Handles travel as integers: on the 64-bit
 * ABIs of Linux, Windows and macOS they are passed as pointers are.
 */
record Symbols(
    // cl_int (cl_uint entries, cl_platform_id*, cl_uint* count)
    @Signature("iipp") MethodHandle clGetPlatformIDs,
    // cl_int (cl_platform_id, cl_platform_info, size_t, void*, size_t*)
    @Signature("ihihpp") MethodHandle clGetPlatformInfo,
    // cl_int (cl_platform_id, cl_device_type, cl_uint entries, cl_device_id*, cl_uint* count)
    @Signature("ihhipp") MethodHandle clGetDeviceIDs,
    // cl_int (cl_device_id, cl_device_info, size_t, void*, size_t*)
    @Signature("ihihpp") MethodHandle clGetDeviceInfo,
    // cl_context (cl_context_properties*, cl_uint, cl_device_id*, callback, void*, cl_int*)
    @Signature("hpipppp") MethodHandle clCreateContext,
    // cl_int (cl_context)
    @Signature("ih") MethodHandle clReleaseContext,
    // cl_command_queue (cl_context, cl_device_id, cl_command_queue_properties, cl_int*)
    @Signature("hhhhp") MethodHandle clCreateCommandQueue,
    @Signature("ih") MethodHandle clReleaseCommandQueue,
    @Signature("ih") MethodHandle clFlush,
    @Signature("ih") MethodHandle clFinish,
    // cl_mem (cl_context, cl_mem_flags, size_t, void*, cl_int*)
    @Signature("hhhhpp") MethodHandle clCreateBuffer,
    @Signature("ih") MethodHandle clReleaseMemObject,
    // cl_int (queue, cl_mem, cl_bool, size_t offset, size_t, void*, cl_uint, events, event*)
    @Signature("ihhihhpipp") MethodHandle clEnqueueReadBuffer,
    @Signature("ihhihhpipp") MethodHandle clEnqueueWriteBuffer,
    // cl_int (queue, from, to, size_t, size_t, size_t, cl_uint, events, event*)
    @Signature("ihhhhhhipp") MethodHandle clEnqueueCopyBuffer,
    // cl_int (queue, cl_mem, void* pattern, size_t, size_t, size_t, cl_uint, events, event*)
    @Signature("ihhphhhipp") MethodHandle clEnqueueFillBuffer,
    // void* (queue, cl_mem, cl_bool, flags, size_t, size_t, cl_uint, events, event*, cl_int*)
    @Signature("phhihhhippp") MethodHandle clEnqueueMapBuffer,
    // cl_int (queue, cl_mem, void*, cl_uint, events, event*)
    @Signature("ihhpipp") MethodHandle clEnqueueUnmapMemObject,
    // cl_program (cl_context, cl_uint, char**, size_t*, cl_int*)
    @Signature("hhippp") MethodHandle clCreateProgramWithSource,
    // cl_program (cl_context, cl_uint, cl_device_id*, size_t*, uchar**, cl_int* each, cl_int*)
    @Signature("hhippppp") MethodHandle clCreateProgramWithBinary,
    // cl_int (cl_program, cl_uint, cl_device_id*, char* options, callback, void*)
    @Signature("ihipppp") MethodHandle clBuildProgram,
    // cl_int (cl_program, cl_device_id, cl_program_build_info, size_t, void*, size_t*)
    @Signature("ihhihpp") MethodHandle clGetProgramBuildInfo,
    // cl_int (cl_program, cl_program_info, size_t, void*, size_t*)
    @Signature("ihihpp") MethodHandle clGetProgramInfo,
    @Signature("ih") MethodHandle clReleaseProgram,
    // cl_kernel (cl_program, char*, cl_int*)
    @Signature("hhpp") MethodHandle clCreateKernel,
    @Signature("ih") MethodHandle clReleaseKernel,
    // cl_int (cl_kernel, cl_uint, size_t, void*)
    @Signature("ihihp") MethodHandle clSetKernelArg,
    // cl_int (cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void*, size_t*)
    @Signature("ihhihpp") MethodHandle clGetKernelWorkGroupInfo,
    // cl_int (queue, cl_kernel, cl_uint, size_t*, size_t*, size_t*, cl_uint, events, event*)
    @Signature("ihhipppipp") MethodHandle clEnqueueNDRangeKernel,
    // cl_int (queue, cl_uint, events, event*)
    @Signature("ihipp") MethodHandle clEnqueueMarkerWithWaitList,
    // cl_int (cl_uint, cl_event*)
    @Signature("iip") MethodHandle clWaitForEvents,
    // cl_int (cl_event, cl_event_info, size_t, void*, size_t*)
    @Signature("ihihpp") MethodHandle clGetEventInfo,
    // cl_int (cl_event, cl_profiling_info, size_t, void*, size_t*)
    @Signature("ihihpp") MethodHandle clGetEventProfilingInfo,
    @Signature("ih") MethodHandle clReleaseEvent) {

  /** The C signature of a function: result, then arguments. */
  @Retention(RetentionPolicy.RUNTIME)
  @interface Signature {
    String value();
  }

  /**
   * Links every component to the symbol of its name.
   *
   * @throws OpenClUnavailableException if the library lacks one: "OpenCL library: …"
   */
  @SuppressWarnings("restricted")
  static Symbols link(SymbolLookup library) throws OpenClUnavailableException {
    Linker linker = Linker.nativeLinker();
    RecordComponent[] components = Symbols.class.getRecordComponents();
    Object[] handles = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = components[i].getName();
      FunctionDescriptor descriptor =
          descriptor(components[i].getAnnotation(Signature.class).value());
      handles[i] =
          library
              .find(name)
              .map(address -> linker.downcallHandle(address, descriptor))
              .orElseThrow(() ->
                  new OpenClUnavailableException(
                      "OpenCL library: must offer OpenCL 1.2 but has no function "
                          + name
                          + "; install a newer OpenCL loader"));
    }
    return construct(components, handles);
  }

  private static Symbols construct(RecordComponent[] components, Object[] handles) {
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      return Symbols.class.getDeclaredConstructor(types).newInstance(handles);
    } catch (NoSuchMethodException
        | InstantiationException
        | IllegalAccessException
        | InvocationTargetException e) {
      throw new LinkageError("the canonical constructor of a record cannot be called", e);
    }
  }

  private static FunctionDescriptor descriptor(String signature) {
    MemoryLayout[] layouts =
        signature.chars().mapToObj(c -> layout((char) c)).toArray(MemoryLayout[]::new);
    return FunctionDescriptor.of(layouts[0], Arrays.copyOfRange(layouts, 1, layouts.length));
  }

  private static MemoryLayout layout(char letter) {
    return switch (letter) {
      case 'i' -> ValueLayout.JAVA_INT;
      case 'h' -> ValueLayout.JAVA_LONG;
      case 'p' -> ValueLayout.ADDRESS;
      default -> throw new IllegalArgumentException("signature letter " + letter);
    };
  }
}
