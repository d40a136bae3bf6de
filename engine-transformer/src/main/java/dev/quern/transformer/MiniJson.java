package dev.quern.transformer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (<a href="https://www.rfc-editor.org/rfc/rfc8259">RFC 8259</a>): objects as maps,
 * arrays as lists, numbers as Double, absent values as null. It is here because this module depends
 * on the core alone, and its inputs are headers and small settings.
 */
final class MiniJson {
  private static final int MAX_DEPTH = 64;

  private final String source;
  private final String text;
  private int at;
  private int depth;

  private MiniJson(String source, String text) {
    this.source = source;
    this.text = text;
  }

  /**
   * An object.
   *
   * @param source what messages call the text
   * @throws ModelException if the text is not one JSON object; says at which character
   */
  static Map<String, @Nullable Object> object(String source, String text) {
    MiniJson json = new MiniJson(source, text);
    json.skip();
    if (json.peek() != '{') {
      throw json.problem("an object");
    }
    Map<String, @Nullable Object> result = json.members();
    json.skip();
    if (json.at != text.length()) {
      throw json.problem("the end");
    }
    return result;
  }

  private @Nullable Object value() {
    skip();
    return switch (peek()) {
      case '{' -> members();
      case '[' -> elements();
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, @Nullable Object> members() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    open('{');
    while (!close('}', members.isEmpty())) {
      skip();
      String name = string();
      skip();
      expect(':');
      members.put(name, value());
    }
    return members;
  }

  private List<@Nullable Object> elements() {
    List<@Nullable Object> elements = new ArrayList<>();
    open('[');
    while (!close(']', elements.isEmpty())) {
      elements.add(value());
    }
    return elements;
  }

  private void open(char bracket) {
    expect(bracket);
    if (++depth > MAX_DEPTH) {
      throw problem("at most " + MAX_DEPTH + " levels");
    }
  }

  /** Whether the bracket closes here; if not, the comma before the next element is passed. */
  private boolean close(char bracket, boolean first) {
    skip();
    if (peek() == bracket) {
      at++;
      depth--;
      return true;
    }
    if (!first) {
      expect(',');
    }
    return false;
  }

  private String string() {
    expect('"');
    StringBuilder result = new StringBuilder();
    while (peek() != '"') {
      char c = text.charAt(at++);
      if (c < ' ') {
        throw problem("no control character in a string");
      }
      result.append(c == '\\' ? escaped() : c);
    }
    at++;
    return result.toString();
  }

  private char escaped() {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}")) {
          throw problem("four hexadecimal digits");
        }
        at += 4;
        yield (char) Integer.parseInt(text, at - 4, at, 16);
      }
      default -> throw problem("an escape");
    };
  }

  private @Nullable Object word(String word, @Nullable Object meaning) {
    if (!text.startsWith(word, at)) {
      throw problem("a value");
    }
    at += word.length();
    return meaning;
  }

  private Double number() {
    int from = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String number = text.substring(from, at);
    if (!number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
      at = from;
      throw problem("a value");
    }
    return Double.valueOf(number);
  }

  private void skip() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private char peek() {
    if (at >= text.length()) {
      throw problem("more");
    }
    return text.charAt(at);
  }

  private void expect(char c) {
    if (peek() != c) {
      throw problem("'" + c + "'");
    }
    at++;
  }

  private ModelException problem(String wanted) {
    String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
    return new ModelException(
        "%s: JSON must have %s at character %d but has %s".formatted(source, wanted, at, found));
  }
}
