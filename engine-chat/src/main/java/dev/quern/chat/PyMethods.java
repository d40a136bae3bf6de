package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Attributes of values: fields of mappings, and methods bound to their value. */
final class PyMethods {
  private static final Set<String> DICT = Set.of("items", "keys", "values", "get", "copy");
  private static final Set<String> LIST = Set.of("index", "count", "copy");
  private static final Set<String> CHANGING =
      Set.of(
          "append",
          "extend",
          "insert",
          "remove",
          "pop",
          "clear",
          "sort",
          "reverse",
          "update",
          "setdefault",
          "popitem");

  private PyMethods() {}

  /** {@code target.name}: a method before an entry, as Python has it. */
  static @Nullable Object attribute(@Nullable Object target, String name) {
    return switch (target) {
      case Undefined u -> throw u.error();
      case Loop loop -> loop.attribute(name);
      case Namespace namespace when namespace.fields().containsKey(name) ->
          namespace.fields().get(name);
      case Map<?, ?> map when DICT.contains(name) -> bind(name, args -> dict(map, name, args));
      case Map<?, ?> map when map.containsKey(name) -> map.get(name);
      case List<?> list when LIST.contains(name) -> bind(name, args -> list(list, name, args));
      case String text when PyStrings.hasMethod(name) ->
          bind(name, args -> PyStrings.call(text, name, args));
      case null, default -> missing(target, name);
    };
  }

  private static Undefined missing(@Nullable Object target, String name) {
    if ((target instanceof Map || target instanceof List) && CHANGING.contains(name)) {
      throw new PyException(
          "'" + name + "' of a " + Py.type(target) + ": templates may not change values");
    }
    return new Undefined("'" + Py.type(target) + "' object has no attribute '" + name + "'");
  }

  private interface Method {
    @Nullable Object call(Args args);
  }

  private static PyCallable bind(String name, Method method) {
    return (positional, named) -> method.call(new Args(name + "()", positional, named));
  }

  private static @Nullable Object dict(Map<?, ?> map, String name, Args args) {
    return switch (name) {
      case "items" -> items(map);
      case "keys" -> new DictView("dict_keys", new ArrayList<>(map.keySet()));
      case "values" -> new DictView("dict_values", new ArrayList<>(map.values()));
      case "copy" -> map;
      default -> {
        Object key = args.need(0, "key");
        yield map.containsKey(key) ? map.get(key) : args.get(1, "default", null);
      }
    };
  }

  /** Entries as tuples. */
  static DictView items(Map<?, ?> map) {
    List<@Nullable Object> entries = new ArrayList<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      List<@Nullable Object> pair = new ArrayList<>();
      pair.add(entry.getKey());
      pair.add(entry.getValue());
      entries.add(new PyTuple(pair));
    }
    return new DictView("dict_items", entries);
  }

  private static @Nullable Object list(List<?> list, String name, Args args) {
    if (name.equals("copy")) {
      return list;
    }
    Object item = args.need(0, "value");
    if (name.equals("count")) {
      return list.stream().filter(x -> Py.equal(x, item)).count();
    }
    for (int i = 0; i < list.size(); i++) {
      if (Py.equal(list.get(i), item)) {
        return (long) i;
      }
    }
    throw new PyException(PyText.repr(item) + " is not in the list");
  }
}
