package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Subscripts: {@code a[i]} and {@code a[from:to:step]}. */
final class PySlices {
  private PySlices() {}

  /** {@code target[index]}; an index that is not there gives an {@link Undefined}. */
  static @Nullable Object index(@Nullable Object target, @Nullable Object index) {
    switch (target) {
      case Undefined u -> throw u.error();
      case Map<?, ?> map when map.containsKey(index) -> {
        return map.get(index);
      }
      case List<?> list when index instanceof Long i -> {
        long at = i < 0 ? i + list.size() : i;
        if (at >= 0 && at < list.size()) {
          return list.get((int) at);
        }
      }
      case String text when index instanceof Long i -> {
        int[] points = text.codePoints().toArray();
        long at = i < 0 ? i + points.length : i;
        if (at >= 0 && at < points.length) {
          return Character.toString(points[(int) at]);
        }
      }
      case null, default -> {
        if (index instanceof String name) {
          return PyMethods.attribute(target, name);
        }
      }
    }
    return new Undefined("'" + Py.type(target) + "' object has no element " + PyText.repr(index));
  }

  /** {@code target[from:to:step]}, where null stands for an omitted bound. */
  static Object slice(
      @Nullable Object target, @Nullable Object from, @Nullable Object to, @Nullable Object step) {
    if (target instanceof Undefined u) {
      throw u.error();
    }
    if (!(target instanceof List<?> || target instanceof String)) {
      throw new PyException("'" + Py.type(target) + "' object cannot be sliced");
    }
    List<@Nullable Object> picked =
        pick(
            Py.items(target),
            from == null ? null : Py.integer(from),
            to == null ? null : Py.integer(to),
            step == null ? 1 : Py.integer(step));
    if (target instanceof String) {
      StringBuilder text = new StringBuilder();
      picked.forEach(text::append);
      return text.toString();
    }
    return target instanceof PyTuple ? new PyTuple(picked) : picked;
  }

  private static List<@Nullable Object> pick(
      List<@Nullable Object> items, @Nullable Long from, @Nullable Long to, long step) {
    if (step == 0) {
      throw new PyException("slice step cannot be zero");
    }
    int size = items.size();
    long lowest = step > 0 ? 0 : -1;
    long highest = step > 0 ? size : size - 1;
    long first = from == null ? (step > 0 ? 0 : highest) : bound(from, size, lowest, highest);
    long last = to == null ? (step > 0 ? size : -1) : bound(to, size, lowest, highest);
    List<@Nullable Object> picked = new ArrayList<>();
    for (long i = first; step > 0 ? i < last : i > last; i += step) {
      picked.add(items.get((int) i));
    }
    return picked;
  }

  private static long bound(long given, int size, long lowest, long highest) {
    return Math.clamp(given < 0 ? given + size : given, lowest, highest);
  }
}
