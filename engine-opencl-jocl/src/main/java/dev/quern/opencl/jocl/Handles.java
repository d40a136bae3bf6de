package dev.quern.opencl.jocl;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jocl.NativePointerObject;
import org.jspecify.annotations.Nullable;

/**
 * JOCL's objects of one kind by their handles: the engine passes handles, and JOCL offers no way to
 * make an object of one.
 */
final class Handles<T extends NativePointerObject> {
  private final String kind;
  private final Map<Long, T> objects = new ConcurrentHashMap<>();

  Handles(String kind) {
    this.kind = kind;
  }

  /** Remembers an object; answers its handle. */
  long add(T object) {
    long handle = object.getNativePointer();
    objects.put(handle, object);
    return handle;
  }

  /**
   * The object of a handle.
   *
   * @throws IllegalArgumentException if this binding did not make it, or has released it
   */
  T get(long handle) {
    return require(handle, objects.get(handle));
  }

  /**
   * Forgets an object. It is forgotten before it is released: from then on the driver may give the
   * same handle to a new one.
   */
  T remove(long handle) {
    return require(handle, objects.remove(handle));
  }

  private T require(long handle, @Nullable T object) {
    if (object == null) {
      throw new IllegalArgumentException(
          "jocl: %s must be a handle that this binding made but is 0x%x".formatted(kind, handle));
    }
    return object;
  }
}
