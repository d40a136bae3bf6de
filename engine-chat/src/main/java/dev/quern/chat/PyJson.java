package dev.quern.chat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's {@code json.dumps}, as the filter {@code tojson} of Hugging Face transformers calls it:
 * no escaping of HTML, characters beyond ASCII as they are.
 */
final class PyJson {
  private final StringBuilder out = new StringBuilder();
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean ascii;
  private final boolean sorted;

  private PyJson(Args args) {
    Object width = args.get(1, "indent", null);
    indent =
        switch (width) {
          case null -> null;
          case String text -> text;
          default -> " ".repeat((int) Py.integer(width));
        };
    ascii = args.flag(0, "ensure_ascii", false);
    sorted = args.flag(3, "sort_keys", false);
    List<@Nullable Object> separators =
        args.get(2, "separators", null) instanceof List<?> given
            ? new ArrayList<>(given)
            : List.of(indent == null ? ", " : ",", ": ");
    itemSeparator = PyText.print(separators.get(0));
    keySeparator = PyText.print(separators.get(1));
  }

  static String dumps(@Nullable Object value, Args args) {
    PyJson json = new PyJson(args);
    json.write(value, 1);
    return json.out.toString();
  }

  private void write(@Nullable Object value, int depth) {
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b);
      case Long n -> out.append(n);
      case Double x -> out.append(number(x));
      case String s -> string(s);
      case List<?> list -> list(list, depth);
      case Map<?, ?> map -> map(map, depth);
      case Undefined u -> throw new PyException("tojson: " + u.problem());
      default -> throw new PyException("tojson: a " + Py.type(value) + " has no JSON form");
    }
  }

  private static String number(double x) {
    return Double.isNaN(x)
        ? "NaN"
        : Double.isInfinite(x) ? (x > 0 ? "Infinity" : "-Infinity") : PyText.floatText(x);
  }

  private void list(List<?> list, int depth) {
    out.append('[');
    for (int i = 0; i < list.size(); i++) {
      separate(i, depth);
      write(list.get(i), depth + 1);
    }
    close(list.isEmpty(), depth, ']');
  }

  private void map(Map<?, ?> map, int depth) {
    out.append('{');
    List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
    if (sorted) {
      entries.sort(Comparator.comparing(entry -> key(entry.getKey())));
    }
    for (int i = 0; i < entries.size(); i++) {
      separate(i, depth);
      string(key(entries.get(i).getKey()));
      out.append(keySeparator);
      write(entries.get(i).getValue(), depth + 1);
    }
    close(map.isEmpty(), depth, '}');
  }

  private static String key(@Nullable Object key) {
    return switch (key) {
      case null -> "null";
      case Boolean b -> b.toString();
      default -> PyText.print(key);
    };
  }

  private void separate(int index, int depth) {
    if (index > 0) {
      out.append(itemSeparator);
    }
    newLine(depth);
  }

  private void close(boolean empty, int depth, char bracket) {
    if (!empty) {
      newLine(depth - 1);
    }
    out.append(bracket);
  }

  private void newLine(int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int escape = "\"\\\n\r\t\b\f".indexOf(c);
      if (escape >= 0) {
        out.append('\\').append("\"\\nrtbf".charAt(escape));
      } else if (c < 32 || (ascii && c > 126)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
