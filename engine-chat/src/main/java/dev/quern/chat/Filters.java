package dev.quern.chat;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The filters of jinja2 that chat templates use. */
final class Filters {
  private Filters() {}

  /** Applies a filter; {@code args} are those behind the value. */
  static @Nullable Object apply(String name, @Nullable Object value, Args args) {
    return switch (name) {
      case "default", "d" -> fallback(value, args);
      case "tojson" -> PyJson.dumps(value, args);
      case "length", "count" -> Py.length(value);
      case "string" -> Py.print(value);
      case "int" -> integer(value, args);
      case "float" -> floating(value, args);
      case "abs" -> value instanceof Double x ? (Object) Math.abs(x) : Math.abs(Py.integer(value));
      case "round" -> round(value, args);
      case "safe" -> value;
      case "attr" -> attr(value, args);
      case "first",
          "last",
          "list",
          "reverse",
          "join",
          "sum",
          "min",
          "max",
          "sort",
          "unique",
          "batch",
          "items",
          "dictsort",
          "map",
          "select",
          "reject",
          "selectattr",
          "rejectattr" ->
          sequence(name, value, args);
      default -> text(name, Py.print(value), args);
    };
  }

  private static @Nullable Object fallback(@Nullable Object value, Args args) {
    boolean missing =
        value instanceof Undefined || (args.flag(1, "boolean", false) && !Py.truth(value));
    return missing ? args.get(0, "default_value", "") : value;
  }

  private static Object text(String name, String s, Args args) {
    return switch (name) {
      case "trim" ->
          PyStrings.strip(
              s, args.get(0, "chars", null) == null ? null : args.text(0, "chars"), true, true);
      case "upper" -> s.toUpperCase(Locale.ROOT);
      case "lower" -> s.toLowerCase(Locale.ROOT);
      case "title" -> PyStrings.title(s);
      case "capitalize" -> PyStrings.capitalize(s);
      case "replace" ->
          PyStrings.replace(
              s, args.text(0, "old"), args.text(1, "new"), args.integer(2, "count", -1));
      case "wordcount" ->
          (long)
              Py.items(PyStrings.call(s, "split", new Args("split", List.of(), Map.of()))).size();
      case "indent" -> indent(s, args);
      case "escape", "e", "forceescape" -> escape(s);
      case "format" -> PyFormat.percent(s, args.positional());
      default -> throw new PyException("no filter named '" + name + "'");
    };
  }

  private static Object integer(@Nullable Object value, Args args) {
    if (Py.isNumber(value)) {
      return (long) Py.number(value);
    }
    try {
      return Long.valueOf(PyStrings.strip(Py.print(value)));
    } catch (NumberFormatException e) {
      return args.integer(0, "default", 0);
    }
  }

  private static Object floating(@Nullable Object value, Args args) {
    if (Py.isNumber(value)) {
      return Py.number(value);
    }
    try {
      return Double.valueOf(PyStrings.strip(Py.print(value)));
    } catch (NumberFormatException e) {
      return Py.number(args.get(0, "default", 0.0));
    }
  }

  /** Halves go to the even digit, as Python rounds. */
  private static Object round(@Nullable Object value, Args args) {
    int places = (int) args.integer(0, "precision", 0);
    String method = Py.print(args.get(1, "method", "common"));
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new PyException("round: unknown method '" + method + "'");
        };
    if (value instanceof Long && method.equals("common")) {
      return value;
    }
    return new BigDecimal(Py.number(value)).setScale(places, mode).doubleValue();
  }

  private static String indent(String s, Args args) {
    Object width = args.get(0, "width", 4L);
    String blanks = width instanceof String text ? text : " ".repeat((int) Py.integer(width));
    boolean blankLines = args.flag(2, "blank", false);
    String[] lines = s.split("\n", -1);
    StringBuilder out = new StringBuilder(args.flag(1, "first", false) ? blanks : "");
    for (int i = 0; i < lines.length; i++) {
      out.append(i == 0 ? "" : "\n");
      out.append(i > 0 && (blankLines || !lines[i].isEmpty()) ? blanks : "").append(lines[i]);
    }
    return out.toString();
  }

  private static String escape(String s) {
    return s.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  /** Attributes proper, not entries: no value of a template has any. */
  private static @Nullable Object attr(@Nullable Object value, Args args) {
    String name = args.text(0, "name");
    Object found =
        value instanceof Map<?, ?> map && map.containsKey(name)
            ? null
            : PyMethods.attribute(value, name);
    return found == null
        ? new Undefined("'" + Py.type(value) + "' object has no attribute '" + name + "'")
        : found;
  }

  /** What these make of none, as of all that is false, is an empty list. */
  private static final Set<String> OF_NOTHING =
      Set.of("map", "select", "reject", "selectattr", "rejectattr");

  private static @Nullable Object sequence(String name, @Nullable Object value, Args args) {
    if (OF_NOTHING.contains(name) && !Py.truth(value)) {
      return new ArrayList<>();
    }
    return switch (name) {
      case "first", "last" -> end(Py.items(value), name.equals("first"));
      case "list" -> new ArrayList<>(Py.items(value));
      case "reverse" -> reverse(value);
      case "join" -> join(value, args);
      case "sum" -> sum(value, args);
      case "min", "max" -> extreme(Py.items(value), name.equals("min"));
      case "sort" -> sort(value, args);
      case "unique" -> unique(Py.items(value));
      case "batch" -> batch(Py.items(value), args);
      case "items" -> items(value);
      case "dictsort" -> dictSort(value, args);
      case "map" -> map(value, args);
      case "select", "reject" -> pick(value, name.equals("select"), predicate(args, 0));
      default -> byAttribute(value, name.equals("selectattr"), args);
    };
  }

  private static @Nullable Object end(List<@Nullable Object> items, boolean first) {
    if (items.isEmpty()) {
      return new Undefined("the sequence is empty");
    }
    return first ? items.getFirst() : items.getLast();
  }

  private static Object reverse(@Nullable Object value) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<@Nullable Object> items = new ArrayList<>(Py.items(value));
    Collections.reverse(items);
    return items;
  }

  private static String join(@Nullable Object value, Args args) {
    String separator = Py.print(args.get(0, "d", ""));
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Object item : by(value, args, 1)) {
      out.append(first ? "" : separator).append(Py.print(item));
      first = false;
    }
    return out.toString();
  }

  private static List<@Nullable Object> by(@Nullable Object value, Args args, int index) {
    Object attribute = args.get(index, "attribute", null);
    List<@Nullable Object> items = new ArrayList<>(Py.items(value));
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
    for (String step : Py.print(attribute).split("\\.", -1)) {
      boolean number = !step.isEmpty() && step.chars().allMatch(Character::isDigit);
      value = PySlices.index(value, number ? (Object) Long.valueOf(step) : step);
    }
    return value;
  }

  private static @Nullable Object sum(@Nullable Object value, Args args) {
    Object total = args.get(1, "start", 0L);
    for (Object item : by(value, args, 0)) {
      total = Py.arithmetic("+", total, item);
    }
    return total;
  }

  private static @Nullable Object extreme(List<@Nullable Object> items, boolean least) {
    if (items.isEmpty()) {
      return new Undefined("the sequence is empty");
    }
    return least ? Collections.min(items, Py::compare) : Collections.max(items, Py::compare);
  }

  /** Strings compare without regard to case unless told otherwise. */
  private static Comparator<@Nullable Object> order(boolean caseSensitive, boolean reverse) {
    Function<@Nullable Object, @Nullable Object> key =
        item ->
            !caseSensitive && item instanceof String text ? text.toLowerCase(Locale.ROOT) : item;
    Comparator<@Nullable Object> order = (a, b) -> Py.compare(key.apply(a), key.apply(b));
    return reverse ? order.reversed() : order;
  }

  private static Object sort(@Nullable Object value, Args args) {
    Object attribute = args.get(2, "attribute", null);
    Comparator<@Nullable Object> order =
        order(args.flag(1, "case_sensitive", false), args.flag(0, "reverse", false));
    List<@Nullable Object> items = new ArrayList<>(Py.items(value));
    items.sort(
        attribute == null
            ? order
            : (a, b) -> order.compare(path(a, attribute), path(b, attribute)));
    return items;
  }

  private static Object dictSort(@Nullable Object value, Args args) {
    long by = Py.print(args.get(1, "by", "key")).equals("value") ? 1 : 0;
    Comparator<@Nullable Object> order =
        order(args.flag(0, "case_sensitive", false), args.flag(2, "reverse", false));
    List<@Nullable Object> entries = new ArrayList<>(items(value).items());
    entries.sort((a, b) -> order.compare(PySlices.index(a, by), PySlices.index(b, by)));
    return entries;
  }

  private static DictView items(@Nullable Object value) {
    return switch (value) {
      case Map<?, ?> map -> PyMethods.items(map);
      case Undefined u -> new DictView("dict_items", List.of());
      case null, default -> throw new PyException("items: needs a mapping, not " + Py.type(value));
    };
  }

  private static Object unique(List<@Nullable Object> items) {
    List<@Nullable Object> seen = new ArrayList<>();
    for (Object item : items) {
      Comparator<@Nullable Object> order = order(false, false);
      if (seen.stream()
          .noneMatch(x ->
              (x instanceof String && item instanceof String)
                  ? order.compare(x, item) == 0
                  : Py.equal(x, item))) {
        seen.add(item);
      }
    }
    return seen;
  }

  private static Object batch(List<@Nullable Object> items, Args args) {
    int size = (int) Py.integer(args.need(0, "linecount"));
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

  private static Object map(@Nullable Object value, Args args) {
    List<@Nullable Object> items = new ArrayList<>(Py.items(value));
    if (args.named().containsKey("attribute")) {
      Object attribute = args.need(Integer.MAX_VALUE, "attribute");
      items.replaceAll(item -> {
        Object found = path(item, attribute == null ? "" : attribute);
        return found instanceof Undefined && args.named().containsKey("default")
            ? args.named().get("default")
            : found;
      });
      return items;
    }
    String filter = args.text(0, "filter");
    Args rest =
        new Args(filter, args.positional().subList(1, args.positional().size()), args.named());
    items.replaceAll(item -> apply(filter, item, rest));
    return items;
  }

  /** The test named by argument {@code index}, or truth. */
  private static Predicate<@Nullable Object> predicate(Args args, int index) {
    List<@Nullable Object> positional = args.positional();
    if (positional.size() <= index) {
      return Py::truth;
    }
    String test = args.text(index, "test");
    Args rest = new Args(test, positional.subList(index + 1, positional.size()), args.named());
    return item -> Tests.apply(test, item, rest);
  }

  private static Object pick(
      @Nullable Object value, boolean keep, Predicate<@Nullable Object> test) {
    List<@Nullable Object> items = new ArrayList<>(Py.items(value));
    items.removeIf(item -> test.test(item) != keep);
    return items;
  }

  private static Object byAttribute(@Nullable Object value, boolean keep, Args args) {
    Object attribute = args.need(0, "attribute");
    Predicate<@Nullable Object> test = predicate(args, 1);
    return pick(value, keep, item -> test.test(path(item, attribute == null ? "" : attribute)));
  }
}
