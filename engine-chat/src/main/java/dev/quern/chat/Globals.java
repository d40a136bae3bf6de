package dev.quern.chat;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Functions that every template has: those of jinja2 and those of Hugging Face transformers. */
final class Globals {
  private static final int MAX_RANGE = 1_000_000;

  private Globals() {}

  static Scope scope(Clock clock) {
    Scope scope = new Scope(null);
    scope.set("range", function("range", Globals::range));
    scope.set("dict", (PyCallable) (positional, named) -> dict(positional, named));
    scope.set("namespace", (PyCallable) (p, named) -> new Namespace(dict(p, named)));
    scope.set("raise_exception", function("raise_exception", Globals::raise));
    scope.set(
        "strftime_now",
        function(
            "strftime_now",
            args -> Strftime.format(ZonedDateTime.now(clock), args.text(0, "format"))));
    return scope;
  }

  private interface Function {
    @Nullable Object call(Args args);
  }

  private static PyCallable function(String name, Function function) {
    return (positional, named) -> function.call(new Args(name, positional, named));
  }

  private static Object range(Args args) {
    boolean one = args.count() == 1;
    long from = one ? 0 : args.integer(0, "start", 0);
    long to = args.integer(one ? 0 : 1, "stop", 0);
    long step = args.integer(2, "step", 1);
    if (step == 0) {
      throw new PyException("range: the step must not be zero");
    }
    List<@Nullable Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      if (numbers.size() == MAX_RANGE) {
        throw new PyException("range: more than " + MAX_RANGE + " numbers");
      }
      numbers.add(i);
    }
    return numbers;
  }

  private static Map<String, @Nullable Object> dict(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    Map<String, @Nullable Object> dict = new LinkedHashMap<>();
    for (Object source : positional) {
      if (!(source instanceof Map<?, ?> map)) {
        throw new PyException("dict: needs mappings, not " + Py.type(source));
      }
      map.forEach((key, value) -> dict.put(PyText.print(key), value));
    }
    dict.putAll(named);
    return dict;
  }

  private static Object raise(Args args) {
    throw new PyException(PyText.print(args.need(0, "message")));
  }
}
