package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of Python strings. */
final class PyStrings {
  private interface Method {
    @Nullable Object call(String self, Args args);
  }

  private static final Map<String, Method> METHODS =
      Map.ofEntries(
          Map.entry("strip", (s, args) -> strip(s, characters(args), true, true)),
          Map.entry("lstrip", (s, args) -> strip(s, characters(args), true, false)),
          Map.entry("rstrip", (s, args) -> strip(s, characters(args), false, true)),
          Map.entry("split", (s, args) -> split(s, args, false)),
          Map.entry("rsplit", (s, args) -> split(s, args, true)),
          Map.entry("splitlines", (s, args) -> new ArrayList<@Nullable Object>(s.lines().toList())),
          Map.entry("replace", PyStrings::replace),
          Map.entry("startswith", (s, args) -> affixes(args).stream().anyMatch(s::startsWith)),
          Map.entry("endswith", (s, args) -> affixes(args).stream().anyMatch(s::endsWith)),
          Map.entry("upper", (s, args) -> s.toUpperCase(Locale.ROOT)),
          Map.entry("lower", (s, args) -> s.toLowerCase(Locale.ROOT)),
          Map.entry("title", (s, args) -> title(s)),
          Map.entry("capitalize", (s, args) -> capitalize(s)),
          Map.entry("swapcase", (s, args) -> swapCase(s)),
          Map.entry("find", (s, args) -> points(s, s.indexOf(args.text(0, "sub")))),
          Map.entry("rfind", (s, args) -> points(s, s.lastIndexOf(args.text(0, "sub")))),
          Map.entry("index", (s, args) -> index(s, args.text(0, "sub"))),
          Map.entry("count", (s, args) -> count(s, args.text(0, "sub"))),
          Map.entry("join", (s, args) -> join(s, args.need(0, "iterable"))),
          Map.entry("format", PyFormat::braces),
          Map.entry("isdigit", (s, args) -> all(s, Character::isDigit)),
          Map.entry("isalnum", (s, args) -> all(s, Character::isLetterOrDigit)),
          Map.entry("isalpha", (s, args) -> all(s, Character::isLetter)),
          Map.entry("isspace", (s, args) -> all(s, PyStrings::isSpace)),
          Map.entry("isupper", (s, args) -> isUpper(s)),
          Map.entry("islower", (s, args) -> isLower(s)),
          Map.entry("partition", (s, args) -> partition(s, args.text(0, "sep"), false)),
          Map.entry("rpartition", (s, args) -> partition(s, args.text(0, "sep"), true)),
          Map.entry("removeprefix", (s, args) -> removePrefix(s, args.text(0, "prefix"))),
          Map.entry("removesuffix", (s, args) -> removeSuffix(s, args.text(0, "suffix"))),
          Map.entry("zfill", (s, args) -> zeroFill(s, args.integer(0, "width", 0))),
          Map.entry("center", (s, args) -> pad(s, args, 2)),
          Map.entry("ljust", (s, args) -> pad(s, args, 0)),
          Map.entry("rjust", (s, args) -> pad(s, args, 1)));

  private PyStrings() {}

  static boolean hasMethod(String name) {
    return METHODS.containsKey(name);
  }

  /**
   * Calls a method.
   *
   * @param name one that {@link #hasMethod} knows
   */
  static @Nullable Object call(String s, String name, Args args) {
    return Objects.requireNonNull(METHODS.get(name), name).call(s, args);
  }

  /** Python's white space. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  static String strip(String s) {
    return strip(s, null, true, true);
  }

  static String stripEnd(String s) {
    return strip(s, null, false, true);
  }

  /** Removes characters of a set from the ends; null stands for white space. */
  static String strip(String s, @Nullable String characters, boolean start, boolean end) {
    IntPredicate drop = characters == null ? PyStrings::isSpace : c -> characters.indexOf(c) >= 0;
    int from = 0;
    int to = s.length();
    while (start && from < to && drop.test(s.codePointAt(from))) {
      from += Character.charCount(s.codePointAt(from));
    }
    while (end && to > from && drop.test(s.codePointBefore(to))) {
      to -= Character.charCount(s.codePointBefore(to));
    }
    return s.substring(from, to);
  }

  private static @Nullable String characters(Args args) {
    return args.get(0, "chars", null) == null ? null : args.text(0, "chars");
  }

  private static List<String> affixes(Args args) {
    Object affix = args.need(0, "prefix");
    if (affix instanceof PyTuple several) {
      return several.stream().map(PyText::print).toList();
    }
    return List.of(args.text(0, "prefix"));
  }

  private static Object split(String s, Args args, boolean fromRight) {
    long limit = args.integer(1, "maxsplit", -1);
    List<@Nullable Object> parts = new ArrayList<>();
    if (args.get(0, "sep", null) == null) {
      splitOnSpace(s, limit, fromRight, parts);
      return parts;
    }
    String separator = args.text(0, "sep");
    if (separator.isEmpty()) {
      throw new PyException("split(): empty separator");
    }
    String rest = s;
    int at;
    while (limit-- != 0
        && (at = fromRight ? rest.lastIndexOf(separator) : rest.indexOf(separator)) >= 0) {
      String before = rest.substring(0, at);
      String after = rest.substring(at + separator.length());
      if (fromRight) {
        parts.addFirst(after);
      } else {
        parts.add(before);
      }
      rest = fromRight ? before : after;
    }
    if (fromRight) {
      parts.addFirst(rest);
    } else {
      parts.add(rest);
    }
    return parts;
  }

  private static void splitOnSpace(
      String s, long maximum, boolean fromRight, List<@Nullable Object> parts) {
    long limit = maximum;
    String rest = strip(s, null, !fromRight, fromRight);
    while (!rest.isEmpty()) {
      int at = limit-- == 0 ? -1 : spaceIn(rest, fromRight);
      if (at < 0) {
        String last = strip(rest, null, fromRight, !fromRight);
        if (fromRight) {
          parts.addFirst(limit < 0 && maximum >= 0 ? stripEnd(rest) : last);
        } else {
          parts.add(maximum >= 0 && limit < 0 ? strip(rest, null, true, false) : last);
        }
        return;
      }
      if (fromRight) {
        parts.addFirst(rest.substring(at + 1));
        rest = stripEnd(rest.substring(0, at));
      } else {
        parts.add(rest.substring(0, at));
        rest = strip(rest.substring(at), null, true, false);
      }
    }
  }

  private static int spaceIn(String s, boolean fromRight) {
    for (int i = 0; i < s.length(); i++) {
      int at = fromRight ? s.length() - 1 - i : i;
      if (isSpace(s.charAt(at))) {
        return at;
      }
    }
    return -1;
  }

  private static String replace(String s, Args args) {
    String old = args.text(0, "old");
    String replacement = args.text(1, "new");
    long count = args.integer(2, "count", -1);
    if (count < 0) {
      return s.replace(old, replacement);
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (long n = 0; n < count; n++) {
      int at = s.indexOf(old, from);
      if (at < 0 || old.isEmpty()) {
        break;
      }
      out.append(s, from, at).append(replacement);
      from = at + old.length();
    }
    return out.append(s.substring(from)).toString();
  }

  /** Capital after anything but a letter, small letters elsewhere. */
  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : s.codePoints().toArray()) {
      out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return out.toString();
  }

  private static String capitalize(String s) {
    if (s.isEmpty()) {
      return s;
    }
    int end = s.offsetByCodePoints(0, 1);
    return s.substring(0, end).toUpperCase(Locale.ROOT) + s.substring(end).toLowerCase(Locale.ROOT);
  }

  private static String swapCase(String s) {
    StringBuilder out = new StringBuilder();
    s.codePoints()
        .map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
        .forEach(out::appendCodePoint);
    return out.toString();
  }

  private static boolean all(String s, IntPredicate test) {
    return !s.isEmpty() && s.codePoints().allMatch(test);
  }

  static boolean isUpper(String s) {
    return cased(s) && s.equals(s.toUpperCase(Locale.ROOT));
  }

  static boolean isLower(String s) {
    return cased(s) && s.equals(s.toLowerCase(Locale.ROOT));
  }

  /** Whether there is a letter with a case. */
  private static boolean cased(String s) {
    return s.codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
  }

  private static long points(String s, int index) {
    return index < 0 ? -1 : s.codePointCount(0, index);
  }

  private static long index(String s, String part) {
    if (!s.contains(part)) {
      throw new PyException("index(): substring not found");
    }
    return points(s, s.indexOf(part));
  }

  private static long count(String s, String part) {
    if (part.isEmpty()) {
      return Py.length(s) + 1;
    }
    return ((long) s.length() - s.replace(part, "").length()) / part.length();
  }

  private static String join(String separator, @Nullable Object items) {
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Object item : Py.items(items)) {
      if (!(item instanceof String text)) {
        throw new PyException("join(): items must be strings but one is " + Py.type(item));
      }
      out.append(first ? "" : separator).append(text);
      first = false;
    }
    return out.toString();
  }

  private static Object partition(String s, String separator, boolean last) {
    int at = last ? s.lastIndexOf(separator) : s.indexOf(separator);
    if (at < 0) {
      return new PyTuple(last ? List.of("", "", s) : List.of(s, "", ""));
    }
    return new PyTuple(
        List.of(s.substring(0, at), separator, s.substring(at + separator.length())));
  }

  private static String removePrefix(String s, String prefix) {
    return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
  }

  private static String removeSuffix(String s, String suffix) {
    return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
  }

  private static String zeroFill(String s, long width) {
    String sign = s.startsWith("-") || s.startsWith("+") ? s.substring(0, 1) : "";
    int missing = (int) Math.max(0, width - Py.length(s));
    return sign + "0".repeat(missing) + s.substring(sign.length());
  }

  /** Pads to a width; of the fill, {@code left} halves go to the left. */
  private static String pad(String s, Args args, int left) {
    String fill = args.has(1, "fillchar") ? args.text(1, "fillchar") : " ";
    int width = (int) args.integer(0, "width", 0);
    int missing = (int) Math.max(0, width - Py.length(s));
    // Python's centre puts the odd blank to the left only where the width is odd
    int before = left == 2 ? missing / 2 + (missing & width & 1) : left == 1 ? missing : 0;
    return fill.repeat(before) + s + fill.repeat(missing - before);
  }
}
