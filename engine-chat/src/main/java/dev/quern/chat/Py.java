package dev.quern.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What Python does with values. Values are null ({@code None}), {@link Boolean}, {@link Long},
 * {@link Double}, {@link String}, {@link List}, {@link PyTuple}, {@link Map}, {@link DictView},
 * {@link Namespace}, {@link Loop}, {@link PyCallable} and {@link Undefined}.
 */
final class Py {
  /** Far beyond any prompt. */
  private static final int MAX_LENGTH = 1 << 24;

  private Py() {}

  /** Brings a value from outside into the types above, deeply. */
  static @Nullable Object of(@Nullable Object value) {
    return switch (value) {
      case Integer n -> n.longValue();
      case Short n -> n.longValue();
      case Byte n -> n.longValue();
      case Float x -> x.doubleValue();
      case BigDecimal x -> x.doubleValue();
      case Map<?, ?> map -> {
        Map<@Nullable Object, @Nullable Object> copy = new LinkedHashMap<>();
        map.forEach((k, v) -> copy.put(of(k), of(v)));
        yield copy;
      }
      case Collection<?> items -> {
        List<@Nullable Object> copy = new ArrayList<>(items.size());
        items.forEach(item -> copy.add(of(item)));
        yield copy;
      }
      case Object[] items -> of(Arrays.asList(items));
      case CharSequence text -> text.toString();
      case null, default -> value;
    };
  }

  static boolean truth(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Boolean b -> b;
      case Long n -> n != 0;
      case Double x -> x != 0;
      case String s -> !s.isEmpty();
      case Collection<?> c -> !c.isEmpty();
      case Map<?, ?> m -> !m.isEmpty();
      case DictView v -> !v.items().isEmpty();
      case Undefined u -> false;
      default -> true;
    };
  }

  /** The name of the type, for messages. */
  static String type(@Nullable Object value) {
    return switch (value) {
      case null -> "NoneType";
      case Boolean b -> "bool";
      case Long n -> "int";
      case Double x -> "float";
      case String s -> "str";
      case PyTuple t -> "tuple";
      case List<?> l -> "list";
      case Map<?, ?> m -> "dict";
      case DictView v -> v.name();
      case Undefined u -> "Undefined";
      case Namespace n -> "Namespace";
      case Loop l -> "LoopContext";
      case PyCallable c -> "function";
      default -> value.getClass().getSimpleName();
    };
  }

  /** The items that a loop over the value sees: keys of a mapping, characters of a string. */
  static List<@Nullable Object> items(@Nullable Object value) {
    return switch (value) {
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case DictView view -> view.items();
      case String text -> {
        List<@Nullable Object> characters = new ArrayList<>();
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        yield characters;
      }
      case Undefined u -> List.of();
      case null, default -> throw new PyException("'" + type(value) + "' object is not iterable");
    };
  }

  static boolean isIterable(@Nullable Object value) {
    return value instanceof List<?>
        || value instanceof Map<?, ?>
        || value instanceof DictView
        || value instanceof String
        || value instanceof Undefined;
  }

  static long length(@Nullable Object value) {
    return switch (value) {
      case String text -> text.codePointCount(0, text.length());
      case Collection<?> c -> c.size();
      case Map<?, ?> m -> m.size();
      case DictView v -> v.items().size();
      case Undefined u -> 0;
      case null, default ->
          throw new PyException("object of type '" + type(value) + "' has no len()");
    };
  }

  /** Numbers are equal by value across types, as are {@code True} and 1; the rest by structure. */
  static boolean equal(@Nullable Object a, @Nullable Object b) {
    if (isNumber(a) && isNumber(b)) {
      return (isFloat(a) || isFloat(b)) ? number(a) == number(b) : integer(a) == integer(b);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      if (x.size() != y.size() || x instanceof PyTuple != y instanceof PyTuple) {
        return false;
      }
      for (int i = 0; i < x.size(); i++) {
        if (!equal(x.get(i), y.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.size() == y.size()
          && x.entrySet().stream()
              .allMatch(e -> y.containsKey(e.getKey()) && equal(e.getValue(), y.get(e.getKey())));
    }
    return a instanceof Undefined ? b instanceof Undefined : Objects.equals(a, b);
  }

  static int compare(@Nullable Object a, @Nullable Object b) {
    if (isNumber(a) && isNumber(b)) {
      return (isFloat(a) || isFloat(b))
          ? Double.compare(number(a), number(b))
          : Long.compare(integer(a), integer(b));
    }
    if (a instanceof String x && b instanceof String y) {
      return x.compareTo(y);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!equal(x.get(i), y.get(i))) {
          return compare(x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw undefinedOr(a, b, "'" + type(a) + "' and '" + type(b) + "' cannot be ordered");
  }

  static boolean contains(@Nullable Object container, @Nullable Object item) {
    return switch (container) {
      case String text when item instanceof String part -> text.contains(part);
      case String text -> throw new PyException("'in <string>' needs a string, not " + type(item));
      case Map<?, ?> map -> map.containsKey(item);
      case null, default -> items(container).stream().anyMatch(x -> equal(x, item));
    };
  }

  static boolean isNumber(@Nullable Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  private static boolean isFloat(@Nullable Object value) {
    return value instanceof Double;
  }

  static double number(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Double x -> x;
      case Boolean b -> b ? 1 : 0;
      case Undefined u -> throw u.error();
      case null, default -> throw new PyException("expected a number, not " + type(value));
    };
  }

  static long integer(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Boolean b -> b ? 1 : 0;
      case Undefined u -> throw u.error();
      case null, default -> throw new PyException("expected an integer, not " + type(value));
    };
  }

  /**
   * A template that doubles a text again and again is stopped before memory ends.
   *
   * @throws PyException if a text or list would be longer than any prompt
   */
  static void requireLength(long length) {
    if (length < 0 || length > MAX_LENGTH) {
      throw new PyException("a text or list of more than " + MAX_LENGTH + " elements");
    }
  }

  /** Result of {@code + - * / // % **}. */
  static @Nullable Object arithmetic(String operator, @Nullable Object a, @Nullable Object b) {
    if (isNumber(a) && isNumber(b)) {
      return (isFloat(a) || isFloat(b) || operator.equals("/"))
          ? floats(operator, number(a), number(b))
          : integers(operator, integer(a), integer(b));
    }
    if (operator.equals("+") && a instanceof String x && b instanceof String y) {
      requireLength((long) x.length() + y.length());
      return x + y;
    }
    if (operator.equals("+") && a instanceof List<?> x && b instanceof List<?> y) {
      requireLength((long) x.size() + y.size());
      List<@Nullable Object> sum = new ArrayList<>(x);
      sum.addAll(y);
      return a instanceof PyTuple ? new PyTuple(sum) : sum;
    }
    if (operator.equals("*") && a instanceof String text && b instanceof Long n) {
      if (n <= 0 || text.isEmpty()) {
        return "";
      }
      requireLength(n > MAX_LENGTH ? n : n * text.length());
      return text.repeat(n.intValue());
    }
    if (operator.equals("%") && a instanceof String format) {
      return PyFormat.percent(format, b instanceof PyTuple t ? t : new PyTuple(listOf(b)));
    }
    throw undefinedOr(
        a, b, "unsupported operands of " + operator + ": '" + type(a) + "' and '" + type(b) + "'");
  }

  private static PyException undefinedOr(@Nullable Object a, @Nullable Object b, String problem) {
    return a instanceof Undefined u
        ? u.error()
        : b instanceof Undefined v ? v.error() : new PyException(problem);
  }

  private static List<@Nullable Object> listOf(@Nullable Object value) {
    List<@Nullable Object> list = new ArrayList<>();
    list.add(value);
    return list;
  }

  private static Object integers(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDiv(a, b);
        case "%" -> Math.floorMod(a, b);
        case "**" -> b < 0 ? (Object) Math.pow((double) a, (double) b) : power(a, b);
        default -> throw new PyException("unknown operator " + operator);
      };
    } catch (ArithmeticException e) {
      throw new PyException(a + " " + operator + " " + b + ": " + e.getMessage());
    }
  }

  private static long power(long a, long b) {
    if (b < Long.SIZE) {
      return BigInteger.valueOf(a).pow((int) b).longValueExact();
    }
    if (a < -1 || a > 1) {
      throw new ArithmeticException("the result is out of range");
    }
    return b % 2 == 0 ? a * a : a;
  }

  private static Object floats(String operator, double a, double b) {
    if (b == 0 && "//%".contains(operator)) {
      throw new PyException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      case "**" -> Math.pow(a, b);
      default -> throw new PyException("unknown operator " + operator);
    };
  }

  /** What {@code {{ value }}} prints. */
  static String print(@Nullable Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined u -> "";
      case null, default -> repr(value);
    };
  }

  /** What Python prints for a value inside a list. */
  static String repr(@Nullable Object value) {
    return switch (value) {
      case null -> "None";
      case Boolean b -> b ? "True" : "False";
      case Long n -> n.toString();
      case Double x -> floatText(x);
      case String s -> quote(s);
      case PyTuple t -> t.size() == 1 ? "(" + repr(t.get(0)) + ",)" : join(t, "(", ")");
      case Collection<?> c -> join(c, "[", "]");
      case Map<?, ?> m -> {
        StringBuilder out = new StringBuilder("{");
        m.forEach((k, v) ->
            out.append(out.length() > 1 ? ", " : "").append(repr(k)).append(": ").append(repr(v)));
        yield out.append('}').toString();
      }
      case DictView v -> v.name() + "(" + join(v.items(), "[", "]") + ")";
      case Undefined u -> "Undefined";
      default -> "<" + type(value) + ">";
    };
  }

  private static String join(Collection<?> items, String open, String close) {
    StringBuilder out = new StringBuilder(open);
    for (Object item : items) {
      out.append(out.length() > 1 ? ", " : "").append(repr(item));
    }
    return out.append(close).toString();
  }

  /** Python's shortest text of a double. */
  static String floatText(double x) {
    if (Double.isNaN(x) || Double.isInfinite(x)) {
      return Double.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(x);
    BigDecimal exact = new BigDecimal(Double.toString(x)).stripTrailingZeros();
    if (x == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = x == 0 ? (1 / x < 0 ? "-0" : "0") : exact.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    int exponent = exact.precision() - exact.scale() - 1;
    String digits = exact.scaleByPowerOfTen(-exponent).toPlainString();
    return String.format("%se%s%02d", digits, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String quote(String text) {
    char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            case '\\' -> out.append("\\\\");
            default -> {
              if (c == quote) {
                out.append('\\').append(quote);
              } else if (c < 32 || c == 127) {
                out.append(String.format("\\x%02x", c));
              } else {
                out.appendCodePoint(c);
              }
            }
          }
        });
    return out.append(quote).toString();
  }
}
