package dev.quern.opencl;

import dev.quern.opencl.binding.OpenCl;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A binding around another that counts calls by name and can act after each. */
final class Intercepted {
  private final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();
  private final OpenCl binding;

  /** What happens after a call. */
  interface After {
    void call(String name, Object[] arguments);
  }

  Intercepted(OpenCl inner, After after) {
    binding =
        (OpenCl)
            Proxy.newProxyInstance(
                OpenCl.class.getClassLoader(),
                new Class<?>[] {OpenCl.class},
                (proxy, method, arguments) -> {
                  calls
                      .computeIfAbsent(method.getName(), n -> new AtomicInteger())
                      .incrementAndGet();
                  try {
                    Object result = method.invoke(inner, arguments);
                    after.call(method.getName(), arguments);
                    return result;
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
  }

  OpenCl binding() {
    return binding;
  }

  int calls(String name) {
    AtomicInteger count = calls.get(name);
    return count == null ? 0 : count.get();
  }
}
