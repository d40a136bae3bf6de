package dev.quern.opencl.binding;

import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Calls of a shape that many functions share, and what is done with their statuses. */
final class FfmCalls {
  private FfmCalls() {}

  static void call(MethodHandle handle, String name, long object) {
    try {
      OpenClException.check((int) handle.invokeExact(object), name, object);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  static void release(MethodHandle handle, String name, long object) {
    try {
      Releases.done((int) handle.invokeExact(object), name, object);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  static String text(MethodHandle handle, String name, long object, int property) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      OpenClException.check(
          (int) handle.invokeExact(object, property, 0L, NULL, size), name, object, property);
      long bytes = size.get(JAVA_LONG, 0);
      MemorySegment text = arena.allocate(bytes + 1);
      OpenClException.check(
          (int) handle.invokeExact(object, property, bytes, text, NULL), name, object, property);
      return text.getString(0).strip();
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  static long number(MethodHandle handle, String name, long object, int property) {
    try (Arena arena = Arena.ofConfined()) {
      // Eight zeroed bytes hold a cl_uint too: OpenCL hosts of this engine are little-endian.
      MemorySegment value = arena.allocate(JAVA_LONG);
      OpenClException.check(
          (int) handle.invokeExact(object, property, 8L, value, NULL), name, object, property);
      return value.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  static void check(MemorySegment status, String name, long... arguments) {
    OpenClException.check(status.get(JAVA_INT, 0), name, arguments);
  }

  /** Method handles declare {@code Throwable}; what is thrown here is unchecked. */
  static RuntimeException rethrow(Throwable e) {
    return switch (e) {
      case RuntimeException unchecked -> unchecked;
      case Error error -> throw error;
      default -> new IllegalStateException("an OpenCL call threw a checked exception", e);
    };
  }
}
