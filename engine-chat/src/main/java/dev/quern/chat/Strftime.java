package dev.quern.chat;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Python's {@code strftime} in the C locale. */
final class Strftime {
  private Strftime() {}

  static String format(ZonedDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char field = format.charAt(++i);
      if (field == '-' && i + 1 < format.length()) {
        // the GNU flag: no leading zeros
        String text = field(time, format.charAt(++i));
        out.append(text.replaceFirst("^0+(?=.)", ""));
      } else {
        out.append(field(time, field));
      }
    }
    return out.toString();
  }

  private static String field(ZonedDateTime time, char field) {
    String pattern =
        switch (field) {
          case 'a' -> "EEE";
          case 'A' -> "EEEE";
          case 'b', 'h' -> "MMM";
          case 'B' -> "MMMM";
          case 'd' -> "dd";
          case 'm' -> "MM";
          case 'y' -> "yy";
          case 'Y' -> "uuuu";
          case 'H' -> "HH";
          case 'I' -> "hh";
          case 'M' -> "mm";
          case 'S' -> "ss";
          case 'p' -> "a";
          case 'j' -> "DDD";
          case 'f' -> "SSSSSS";
          case 'z' -> "xx";
          case 'Z' -> "zzz";
          case 'F' -> "uuuu-MM-dd";
          case 'T' -> "HH:mm:ss";
          case 'D', 'x' -> "MM/dd/yy";
          case 'X' -> "HH:mm:ss";
          case 'c' -> "EEE MMM ppd HH:mm:ss uuuu";
          case '%' -> "'%'";
          default -> throw new PyException("strftime_now: unknown field %" + field);
        };
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
