package dev.quern.core;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory as people write them: {@code 4GiB}, {@code 256MiB}, {@code 1048576}. */
public final class ByteSize {
  private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-z]*)");
  private static final Map<String, Double> UNITS =
      Map.ofEntries(
          Map.entry("", 1.0),
          Map.entry("b", 1.0),
          Map.entry("k", 0x1p10),
          Map.entry("kib", 0x1p10),
          Map.entry("kb", 1e3),
          Map.entry("m", 0x1p20),
          Map.entry("mib", 0x1p20),
          Map.entry("mb", 1e6),
          Map.entry("g", 0x1p30),
          Map.entry("gib", 0x1p30),
          Map.entry("gb", 1e9),
          Map.entry("t", 0x1p40),
          Map.entry("tib", 0x1p40),
          Map.entry("tb", 1e12));

  private ByteSize() {}

  /**
   * The number of bytes that {@code text} says, rounded down.
   *
   * @param what what is said, for the message
   * @throws IllegalArgumentException if it is not a positive amount
   */
  public static long parse(String what, String text) {
    Matcher matcher = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    Double unit = matcher.matches() ? UNITS.get(matcher.group(2)) : null;
    long bytes = unit == null ? 0 : (long) (Double.parseDouble(matcher.group(1)) * unit);
    if (bytes < 1) {
      throw new IllegalArgumentException(
          "%s: must be an amount of memory such as 4GiB, 256MiB or 1048576 but is %s"
              .formatted(what, text));
    }
    return bytes;
  }

  /** For people: {@code 1.5 GiB}. */
  public static String format(long bytes) {
    String[] units = {"KiB", "MiB", "GiB"};
    double value = bytes / 0x1p10;
    int unit = 0;
    while (unit < units.length - 1 && value >= 1024) {
      value /= 1024;
      unit++;
    }
    return bytes < 1024
        ? bytes + " bytes"
        : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }
}
