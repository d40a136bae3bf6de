package dev.quern.chat;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters of jinja2 that chat templates use. */
final class Filters {
  private interface Filter {
    @Nullable Object apply(@Nullable Object value, Args args);
  }

  private static final Map<String, Filter> FILTERS =
      Map.ofEntries(
          Map.entry("default", Filters::fallback),
          Map.entry("d", Filters::fallback),
          Map.entry("safe", (value, args) -> value),
          Map.entry("attr", Filters::attr),
          Map.entry("tojson", PyJson::dumps),
          // numbers
          Map.entry("int", Filters::integer),
          Map.entry("float", Filters::floating),
          Map.entry("abs", (value, args) -> abs(value)),
          Map.entry("round", Filters::round),
          // texts
          Map.entry("string", (value, args) -> PyText.print(value)),
          Map.entry("trim", method("strip")),
          Map.entry("upper", method("upper")),
          Map.entry("lower", method("lower")),
          Map.entry("title", method("title")),
          Map.entry("capitalize", method("capitalize")),
          Map.entry("replace", method("replace")),
          Map.entry("wordcount", (value, args) -> Py.length(method("split").apply(value, args))),
          Map.entry("indent", Filters::indent),
          Map.entry("escape", (value, args) -> escape(PyText.print(value))),
          Map.entry("e", (value, args) -> escape(PyText.print(value))),
          Map.entry("forceescape", (value, args) -> escape(PyText.print(value))),
          Map.entry(
              "format", (value, args) -> PyFormat.percent(PyText.print(value), args.positional())),
          // lists and mappings
          Map.entry("length", (value, args) -> Py.length(value)),
          Map.entry("count", (value, args) -> Py.length(value)),
          Map.entry("first", (value, args) -> ListFilters.first(Py.items(value))),
          Map.entry("last", (value, args) -> ListFilters.first(Py.items(value).reversed())),
          Map.entry("list", (value, args) -> Py.items(value)),
          Map.entry("reverse", (value, args) -> ListFilters.reverse(value)),
          Map.entry("join", ListFilters::join),
          Map.entry("sum", ListFilters::sum),
          Map.entry("min", (value, args) -> ListFilters.least(Py.items(value), Py::compare)),
          Map.entry(
              "max",
              (value, args) ->
                  ListFilters.least(Py.items(value), Collections.reverseOrder(Py::compare))),
          Map.entry("sort", ListFilters::sort),
          Map.entry("unique", (value, args) -> ListFilters.unique(Py.items(value))),
          Map.entry("batch", (value, args) -> ListFilters.batch(Py.items(value), args)),
          Map.entry("items", (value, args) -> ListFilters.items(value)),
          Map.entry("dictsort", ListFilters::dictSort),
          Map.entry("map", unlessFalse(ListFilters::map)),
          Map.entry("select", unlessFalse((v, args) -> ListFilters.select(v, args, true))),
          Map.entry("reject", unlessFalse((v, args) -> ListFilters.select(v, args, false))),
          Map.entry("selectattr", unlessFalse((v, args) -> ListFilters.selectAttr(v, args, true))),
          Map.entry(
              "rejectattr", unlessFalse((v, args) -> ListFilters.selectAttr(v, args, false))));

  private Filters() {}

  /** Applies a filter; {@code args} are those behind the value. */
  static @Nullable Object apply(String name, @Nullable Object value, Args args) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw new PyException("no filter named '" + name + "'");
    }
    return filter.apply(value, args);
  }

  /** The filter that calls a method of the value as text. */
  private static Filter method(String name) {
    return (value, args) -> PyStrings.call(PyText.print(value), name, args);
  }

  /** What these make of none, as of all that is false, is an empty list. */
  private static Filter unlessFalse(Filter filter) {
    return (value, args) -> Py.truth(value) ? filter.apply(value, args) : new ArrayList<>();
  }

  private static @Nullable Object fallback(@Nullable Object value, Args args) {
    boolean missing =
        value instanceof Undefined || (args.flag(1, "boolean", false) && !Py.truth(value));
    return missing ? args.get(0, "default_value", "") : value;
  }

  private static Object integer(@Nullable Object value, Args args) {
    if (Py.isNumber(value)) {
      return (long) Py.number(value);
    }
    try {
      return Long.valueOf(PyStrings.strip(PyText.print(value)));
    } catch (NumberFormatException e) {
      return args.integer(0, "default", 0);
    }
  }

  private static Object floating(@Nullable Object value, Args args) {
    if (Py.isNumber(value)) {
      return Py.number(value);
    }
    try {
      return Double.valueOf(PyStrings.strip(PyText.print(value)));
    } catch (NumberFormatException e) {
      return Py.number(args.get(0, "default", 0.0));
    }
  }

  /** Halves go to the even digit, as Python rounds. */
  private static Object round(@Nullable Object value, Args args) {
    int places = (int) args.integer(0, "precision", 0);
    String method = PyText.print(args.get(1, "method", "common"));
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

  private static Object abs(@Nullable Object value) {
    return value instanceof Double x ? (Object) Math.abs(x) : Math.abs(Py.integer(value));
  }

  private static String indent(@Nullable Object value, Args args) {
    Object width = args.get(0, "width", 4L);
    String blanks = width instanceof String text ? text : " ".repeat((int) Py.integer(width));
    boolean blankLines = args.flag(2, "blank", false);
    String[] lines = PyText.print(value).split("\n", -1);
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
}
