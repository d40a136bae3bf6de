package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the tokens of one tag, up to its closing delimiter. */
final class TokenLexer {
  private static final Pattern TOKEN =
      Pattern.compile(
          "(?<space>\\s+)"
              + "|(?<float>\\d+(?:_\\d+)*(?:(?:\\.\\d+(?:_\\d+)*)?[eE][+-]?\\d+|\\.\\d+(?:_\\d+)*))"
              + "|(?<integer>\\d+(?:_\\d+)*)"
              + "|(?<name>[\\p{L}_][\\p{L}\\p{N}_]*)"
              + "|(?<string>'(?:[^'\\\\]|\\\\.)*+'|\"(?:[^\"\\\\]|\\\\.)*+\")"
              + "|(?<operator>\\*\\*|//|==|!=|>=|<=|[-+/*%~\\[\\](){}><=.:|,;])",
          Pattern.DOTALL | Pattern.UNICODE_CHARACTER_CLASS);

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line;

  TokenLexer(String source, int position, int line) {
    this.source = source;
    this.position = position;
    this.line = line;
  }

  /** Where reading stopped: at the closing delimiter, including a sign before it. */
  int position() {
    return position;
  }

  int line() {
    return line;
  }

  /**
   * Tokens before the closing delimiter, which counts only outside brackets.
   *
   * @param close either of the two closing delimiters
   */
  List<Token> read(String close) {
    Matcher matcher = TOKEN.matcher(source);
    int first = line;
    int depth = 0;
    while (position < source.length()) {
      if (depth == 0 && atClose(close)) {
        tokens.add(new Token(Token.Kind.END, "", line));
        return tokens;
      }
      if (!matcher.region(position, source.length()).lookingAt()) {
        throw new SyntaxException(line, "unexpected character '" + source.charAt(position) + "'");
      }
      depth += take(matcher);
      if (depth < 0) {
        throw new SyntaxException(line, "unexpected '" + matcher.group() + "'");
      }
    }
    throw new SyntaxException(first, "the tag is not closed by '" + close + "'");
  }

  private boolean atClose(String close) {
    return source.startsWith(close, position)
        || ((source.charAt(position) == '-' || source.charAt(position) == '+')
            && source.startsWith(close, position + 1));
  }

  /** Adds the token matched; returns the change of bracket depth. */
  private int take(Matcher matcher) {
    String text = matcher.group();
    int at = line;
    position = matcher.end();
    line += (int) text.chars().filter(c -> c == '\n').count();
    if (matcher.group("space") != null) {
      return 0;
    }
    if (matcher.group("string") != null) {
      tokens.add(new Token(Token.Kind.STRING, unescape(text.substring(1, text.length() - 1)), at));
      return 0;
    }
    if (matcher.group("operator") != null) {
      tokens.add(new Token(Token.Kind.OPERATOR, text, at));
      return "([{".contains(text) ? 1 : ")]}".contains(text) ? -1 : 0;
    }
    Token.Kind kind =
        matcher.group("name") != null
            ? Token.Kind.NAME
            : matcher.group("float") != null ? Token.Kind.FLOAT : Token.Kind.INTEGER;
    tokens.add(new Token(kind, text, at));
    return 0;
  }

  /** Resolves the escapes of a Python string literal; an unknown one stays as it is. */
  static String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c != '\\' || i == text.length()) {
        out.append(c);
        continue;
      }
      char escape = text.charAt(i++);
      int simple = "ntr\\'\"abfv".indexOf(escape);
      int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
      if (simple >= 0) {
        out.append("\n\t\r\\'\"\007\b\f\013".charAt(simple));
      } else if (digits > 0 && isHex(text, i, digits)) {
        out.appendCodePoint(Integer.parseInt(text.substring(i, i + digits), 16));
        i += digits;
      } else if (escape != '\n') {
        out.append('\\').append(escape);
      }
    }
    return out.toString();
  }

  private static boolean isHex(String text, int from, int count) {
    return from + count <= text.length()
        && text.substring(from, from + count)
            .chars()
            .allMatch(c -> c < 128 && Character.digit(c, 16) >= 0);
  }
}
