package dev.quern.chat;

/**
 * A token inside {@code {{ … }}} or {@code {% … %}}.
 *
 * @param kind what it is
 * @param text its text; of a string, the value with escapes resolved
 * @param line line of the template, from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  /** For messages. */
  String describe() {
    return kind == Kind.END ? "end of the tag" : "'" + text + "'";
  }
}
