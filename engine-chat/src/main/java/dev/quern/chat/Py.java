package dev.quern.chat;

import java.math.BigDecimal;
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

  /**
   * The items that a loop over the value sees, in a list of their own: keys of a mapping,
   * characters of a string.
   */
  static List<@Nullable Object> items(@Nullable Object value) {
    return switch (value) {
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case DictView view -> new ArrayList<>(view.items());
      case String text -> {
        List<@Nullable Object> characters = new ArrayList<>();
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        yield characters;
      }
      case Undefined u -> new ArrayList<>();
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

  static boolean isFloat(@Nullable Object value) {
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

  /** The error of an operation that either side may be undefined in. */
  static PyException undefinedOr(@Nullable Object a, @Nullable Object b, String problem) {
    return a instanceof Undefined u
        ? u.error()
        : b instanceof Undefined v ? v.error() : new PyException(problem);
  }
}
