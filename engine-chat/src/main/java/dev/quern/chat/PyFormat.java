package dev.quern.chat;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** String formatting: {@code '%s' % x} and {@code '{}'.format(x)}. */
final class PyFormat {
  private static final Pattern PERCENT =
      Pattern.compile("%([-+ 0#]*)(\\d*)(?:\\.(\\d+))?([sdifgrxXe%])");
  private static final Pattern FIELD = Pattern.compile("\\{\\{|}}|\\{(\\w*)}");

  private PyFormat() {}

  static String percent(String format, List<@Nullable Object> values) {
    Matcher field = PERCENT.matcher(format);
    StringBuilder out = new StringBuilder();
    int next = 0;
    while (field.find()) {
      String text = "%";
      if (!field.group(4).equals("%")) {
        if (next == values.size()) {
          throw new PyException("not enough arguments for the format string");
        }
        text = one(field, values.get(next++));
      }
      field.appendReplacement(out, Matcher.quoteReplacement(text));
    }
    if (next < values.size()) {
      throw new PyException("not all arguments converted by the format string");
    }
    return field.appendTail(out).toString();
  }

  private static String one(Matcher field, @Nullable Object value) {
    String flags = field.group(1);
    String places = field.group(3);
    String frame = "%" + flags + field.group(2);
    String precision = places == null ? "" : "." + places;
    return switch (field.group(4)) {
      case "d", "i" -> format(frame + "d", (long) Py.number(value));
      case "x", "X" -> format(frame + field.group(4), Py.integer(value));
      case "f", "g", "e" -> format(frame + precision + field.group(4), Py.number(value));
      case "r" -> format(frame + precision + "s", PyText.repr(value));
      default -> format(frame.replace("0", "") + precision + "s", PyText.print(value));
    };
  }

  private static String format(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }

  /** {@code {}}, {@code {0}} and {@code {name}}, without format specifications. */
  static String braces(String format, Args args) {
    Matcher field = FIELD.matcher(format);
    StringBuilder out = new StringBuilder();
    int next = 0;
    while (field.find()) {
      String name = field.group(1);
      String text;
      if (name == null) {
        text = field.group().substring(1);
      } else if (name.isEmpty()) {
        text = PyText.print(args.need(next, "{" + next++ + "}"));
      } else if (name.chars().allMatch(Character::isDigit)) {
        text = PyText.print(args.need(Integer.parseInt(name), "{" + name + "}"));
      } else {
        text = PyText.print(args.need(Integer.MAX_VALUE, name));
      }
      field.appendReplacement(out, Matcher.quoteReplacement(text));
    }
    return field.appendTail(out).toString();
  }
}
