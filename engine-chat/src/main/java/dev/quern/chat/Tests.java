package dev.quern.chat;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The tests of jinja2: {@code value is name}. */
final class Tests {
  private Tests() {}

  static boolean apply(String name, @Nullable Object value, Args args) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map;
      case "iterable" -> Py.isIterable(value);
      case "sequence" -> Py.isIterable(value) && !(value instanceof DictView);
      case "number" -> Py.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "callable" -> value instanceof PyCallable;
      case "even" -> Math.floorMod(Py.integer(value), 2L) == 0;
      case "odd" -> Math.floorMod(Py.integer(value), 2L) == 1;
      case "divisibleby" -> Math.floorMod(Py.integer(value), Py.integer(args.need(0, "num"))) == 0;
      case "lower" -> value instanceof String s && PyStrings.isLower(s);
      case "upper" -> value instanceof String s && PyStrings.isUpper(s);
      default -> against(name, value, args);
    };
  }

  private static boolean against(String name, @Nullable Object value, Args args) {
    return switch (name) {
      case "eq", "equalto", "==" -> Py.equal(value, args.need(0, "other"));
      case "ne", "!=" -> !Py.equal(value, args.need(0, "other"));
      case "gt", "greaterthan", ">" -> Py.compare(value, args.need(0, "other")) > 0;
      case "ge", ">=" -> Py.compare(value, args.need(0, "other")) >= 0;
      case "lt", "lessthan", "<" -> Py.compare(value, args.need(0, "other")) < 0;
      case "le", "<=" -> Py.compare(value, args.need(0, "other")) <= 0;
      case "in" -> Py.contains(args.need(0, "seq"), value);
      case "sameas" -> Objects.equals(value, args.need(0, "other"));
      default -> throw new PyException("no test named '" + name + "'");
    };
  }
}
