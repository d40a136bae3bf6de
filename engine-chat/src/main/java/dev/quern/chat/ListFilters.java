package dev.quern.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The filters of lists and mappings. */
final class ListFilters {
  private ListFilters() {}

  static @Nullable Object first(List<@Nullable Object> items) {
    return items.isEmpty() ? new Undefined("the sequence is empty") : items.getFirst();
  }

  static Object reverse(@Nullable Object value) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<@Nullable Object> items = Py.items(value);
    Collections.reverse(items);
    return items;
  }

  static String join(@Nullable Object value, Args args) {
    String separator = PyText.print(args.get(0, "d", ""));
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Object item : by(value, args, 1)) {
      out.append(first ? "" : separator).append(PyText.print(item));
      first = false;
    }
    return out.toString();
  }

  private static List<@Nullable Object> by(@Nullable Object value, Args args, int index) {
    Object attribute = args.get(index, "attribute", null);
    List<@Nullable Object> items = Py.items(value);
    if (attribute != null) {
      items.replaceAll(item -> path(item, attribute));
    }
    return items;
  }

  /** {@code a.b.0} of an item. */
  private static @Nullable Object path(@Nullable Object item, Object attribute) {
    if (attribute instanceof Long index) {
      return PySlices.index(item, index);
    }
    Object value = item;
    for (String step : PyText.print(attribute).split("\\.", -1)) {
      boolean number = !step.isEmpty() && step.chars().allMatch(Character::isDigit);
      value = PySlices.index(value, number ? (Object) Long.valueOf(step) : step);
    }
    return value;
  }

  static @Nullable Object sum(@Nullable Object value, Args args) {
    Object total = args.get(1, "start", 0L);
    for (Object item : by(value, args, 0)) {
      total = PyArithmetic.apply("+", total, item);
    }
    return total;
  }

  static @Nullable Object least(List<@Nullable Object> items, Comparator<@Nullable Object> order) {
    return items.isEmpty() ? new Undefined("the sequence is empty") : Collections.min(items, order);
  }

  private static Comparator<@Nullable Object> order(boolean caseSensitive, boolean reverse) {
    Comparator<@Nullable Object> order =
        caseSensitive ? Py::compare : (a, b) -> Py.compare(fold(a), fold(b));
    return reverse ? order.reversed() : order;
  }

  /** Strings compare without regard to case unless told otherwise. */
  private static @Nullable Object fold(@Nullable Object item) {
    return item instanceof String text ? text.toLowerCase(Locale.ROOT) : item;
  }

  static Object sort(@Nullable Object value, Args args) {
    Object attribute = args.get(2, "attribute", null);
    Comparator<@Nullable Object> order =
        order(args.flag(1, "case_sensitive", false), args.flag(0, "reverse", false));
    List<@Nullable Object> items = Py.items(value);
    items.sort(
        attribute == null
            ? order
            : (a, b) -> order.compare(path(a, attribute), path(b, attribute)));
    return items;
  }

  static Object dictSort(@Nullable Object value, Args args) {
    long by = PyText.print(args.get(1, "by", "key")).equals("value") ? 1 : 0;
    Comparator<@Nullable Object> order =
        order(args.flag(0, "case_sensitive", false), args.flag(2, "reverse", false));
    List<@Nullable Object> entries = new ArrayList<>(items(value).items());
    entries.sort((a, b) -> order.compare(PySlices.index(a, by), PySlices.index(b, by)));
    return entries;
  }

  static DictView items(@Nullable Object value) {
    return switch (value) {
      case Map<?, ?> map -> PyMethods.items(map);
      case Undefined u -> new DictView("dict_items", List.of());
      case null, default -> throw new PyException("items: needs a mapping, not " + Py.type(value));
    };
  }

  static Object unique(List<@Nullable Object> items) {
    List<@Nullable Object> seen = new ArrayList<>();
    for (Object item : items) {
      if (seen.stream().noneMatch(x -> Py.equal(fold(x), fold(item)))) {
        seen.add(item);
      }
    }
    return seen;
  }

  static Object batch(List<@Nullable Object> items, Args args) {
    int size = (int) Py.integer(args.need(0, "linecount"));
    if (size < 1) {
      throw new PyException("batch: 'linecount' must be at least 1 but is " + size);
    }
    List<@Nullable Object> rows = new ArrayList<>();
    for (int i = 0; i < items.size(); i += size) {
      List<@Nullable Object> row =
          new ArrayList<>(items.subList(i, Math.min(items.size(), i + size)));
      while (args.has(1, "fill_with") && row.size() < size) {
        row.add(args.need(1, "fill_with"));
      }
      rows.add(row);
    }
    return rows;
  }

  static Object map(@Nullable Object value, Args args) {
    List<@Nullable Object> items = Py.items(value);
    if (args.named().containsKey("attribute")) {
      Object attribute = attribute(args, Integer.MAX_VALUE);
      items.replaceAll(item -> {
        Object found = path(item, attribute);
        return found instanceof Undefined && args.named().containsKey("default")
            ? args.named().get("default")
            : found;
      });
      return items;
    }
    String filter = args.text(0, "filter");
    Args rest = args.from(1, filter);
    items.replaceAll(item -> Filters.apply(filter, item, rest));
    return items;
  }

  private static Object attribute(Args args, int index) {
    Object attribute = args.need(index, "attribute");
    return attribute == null ? "" : attribute;
  }

  /** The test named by argument {@code index}, or truth. */
  private static Predicate<@Nullable Object> predicate(Args args, int index) {
    if (args.positional().size() <= index) {
      return Py::truth;
    }
    String test = args.text(index, "test");
    Args rest = args.from(index + 1, test);
    return item -> Tests.apply(test, item, rest);
  }

  static Object select(@Nullable Object value, Args args, boolean keep) {
    return pick(value, keep, predicate(args, 0));
  }

  static Object selectAttr(@Nullable Object value, Args args, boolean keep) {
    Object attribute = attribute(args, 0);
    Predicate<@Nullable Object> test = predicate(args, 1);
    return pick(value, keep, item -> test.test(path(item, attribute)));
  }

  private static Object pick(
      @Nullable Object value, boolean keep, Predicate<@Nullable Object> test) {
    List<@Nullable Object> items = Py.items(value);
    items.removeIf(item -> test.test(item) != keep);
    return items;
  }
}
