package dev.quern.chat;

import java.math.BigDecimal;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values as Python writes them. */
final class PyText {
  private PyText() {}

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
      default -> "<" + Py.type(value) + ">";
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
