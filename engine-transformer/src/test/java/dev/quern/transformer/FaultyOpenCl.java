package dev.quern.transformer;

import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A binding around another in which any call can fail, instead of being made, and which knows what
 * was created and not released. Calls are numbered from 0 in the order in which they are made;
 * releases have no number, for they do not fail.
 */
final class FaultyOpenCl {
  private static final Set<String> CREATES =
      Set.of("createContext", "createQueue", "createBuffer", "createProgram", "createKernel");
  private static final Set<String> EVENTS =
      Set.of("marker", "readAsync", "writeAsync", "launchWithEvent");

  private final OpenCl inner;
  private final OpenCl binding;
  private final List<String> calls = new ArrayList<>();
  private final Map<String, Integer> live = new TreeMap<>();
  private int failing = Integer.MAX_VALUE;
  private int failures;
  private int status;
  private String failed = "";
  private long memory = Long.MAX_VALUE;

  FaultyOpenCl(OpenCl inner) {
    this.inner = inner;
    binding =
        (OpenCl)
            Proxy.newProxyInstance(
                OpenCl.class.getClassLoader(),
                new Class<?>[] {OpenCl.class},
                (proxy, method, arguments) -> call(method, arguments));
  }

  OpenCl binding() {
    return binding;
  }

  /** Call {@code index} fails with a status, once. */
  synchronized FaultyOpenCl failAt(int index, int with) {
    return fail(index, 1, with);
  }

  /** Call {@code index} and all after it fail: the device is lost. */
  synchronized FaultyOpenCl loseAt(int index, int with) {
    return fail(index, Integer.MAX_VALUE, with);
  }

  private FaultyOpenCl fail(int index, int times, int with) {
    failing = index;
    failures = times;
    status = with;
    return this;
  }

  /** No buffer larger than this can be created. */
  synchronized FaultyOpenCl limit(long bytes) {
    memory = bytes;
    return this;
  }

  /** The names of the calls so far, in order. */
  synchronized List<String> calls() {
    return List.copyOf(calls);
  }

  /** The call that failed first, or nothing. */
  synchronized String failed() {
    return failed;
  }

  /** How many objects of each kind are created and not released; no kind that has none. */
  synchronized Map<String, Integer> live() {
    return new TreeMap<>(live);
  }

  private synchronized Object call(Method method, Object[] arguments) throws Throwable {
    String name = method.getName();
    if (name.startsWith("release")) {
      count(name.substring("release".length()).toLowerCase(Locale.ROOT), -1);
      return invoke(method, arguments);
    }
    int index = calls.size();
    calls.add(name);
    if (index >= failing && failures > 0) {
      failures -= failures == Integer.MAX_VALUE ? 0 : 1;
      failed = failed.isEmpty() ? name : failed;
      throw new OpenClException(name + "()", status);
    }
    if (name.equals("createBuffer") && (long) arguments[2] > memory) {
      throw new OpenClException(name + "(" + arguments[2] + ")", -4);
    }
    Object result = invoke(method, arguments);
    if (CREATES.contains(name)) {
      count(name.substring("create".length()).toLowerCase(Locale.ROOT), 1);
    } else if (EVENTS.contains(name)) {
      count("event", 1);
    }
    return result;
  }

  private void count(String kind, int change) {
    int now = live.getOrDefault(kind, 0) + change;
    if (now == 0) {
      live.remove(kind);
    } else {
      live.put(kind, now);
    }
  }

  private Object invoke(Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(inner, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
