package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into text and tags with the white space rules of jinja2 under {@code
 * trim_blocks} and {@code lstrip_blocks}, has their inside parsed, and writes a skeleton for
 * jinjava in which every tag refers to its statement by number and text is a tag too.
 *
 * <p>jinjava's own scanner is not used for the inside of tags: it drops blanks before a tag in the
 * middle of a line, does not know {@code {#- -#}} or {@code {%+ %}}, and loses count in expressions
 * with braces or quotes.
 */
final class TemplateCompiler {
  private static final Pattern OPEN = Pattern.compile("\\{[{%#]");
  private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%}");
  private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}");

  private final String source;
  private final StringBuilder skeleton = new StringBuilder();
  private final List<Statement> statements = new ArrayList<>();
  private int position;
  private int line = 1;
  private int skeletonLine = 1;
  private boolean lineStart = true;

  private TemplateCompiler(String source) {
    this.source = source;
  }

  /** The skeleton and what its numbers mean. */
  record Compiled(String skeleton, List<Statement> statements) {}

  static Compiled compile(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    TemplateCompiler compiler =
        new TemplateCompiler(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
    compiler.run();
    return new Compiled(compiler.skeleton.toString(), List.copyOf(compiler.statements));
  }

  private void run() {
    Matcher open = OPEN.matcher(source);
    while (open.find(position)) {
      char kind = source.charAt(open.start() + 1);
      char sign = open.end() < source.length() ? source.charAt(open.end()) : ' ';
      text(source.substring(position, open.start()), sign, kind != '{');
      position = open.start();
      switch (kind) {
        case '#' -> comment();
        case '{' -> print();
        default -> block();
      }
      if (position >= source.length()) {
        return;
      }
    }
    text(source.substring(position), ' ', false);
  }

  /** Emits text, stripped at its end as the tag after it says. */
  private void text(String raw, char sign, boolean beforeBlock) {
    String text = raw;
    if (sign == '-') {
      text = PyStrings.stripEnd(raw);
    } else if (sign != '+' && beforeBlock) {
      int start = raw.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStart) && PyStrings.strip(raw.substring(start)).isEmpty()) {
        text = raw.substring(0, start);
      }
    }
    if (!text.isEmpty()) {
      emit(new Statement.Print(line, new Expr.Literal(text)));
    }
    advance(raw);
  }

  private void advance(String passed) {
    line += (int) passed.chars().filter(c -> c == '\n').count();
  }

  private void comment() {
    int end = source.indexOf("#}", position + 2);
    if (end < 0) {
      throw new SyntaxException(line, "the comment is not closed by '#}'");
    }
    char sign = end > position + 2 ? source.charAt(end - 1) : ' ';
    advance(source.substring(position, end));
    position = end;
    close(sign, true);
  }

  private void print() {
    List<Token> tokens = tokens("}}");
    ExprParser parser = new ExprParser(tokens);
    int at = tokens.getFirst().line();
    Expr value = parser.tuple(true);
    parser.expectEnd();
    emit(new Statement.Print(at, value));
    close(source.charAt(position), false);
  }

  private void block() {
    Matcher raw = RAW.matcher(source).region(position, source.length());
    if (raw.lookingAt()) {
      raw(raw);
      return;
    }
    int at = line;
    List<Token> tokens = tokens("%}");
    ExprParser parser = new ExprParser(tokens);
    tag(parser, at);
    parser.expectEnd();
    close(source.charAt(position), true);
  }

  private void raw(Matcher raw) {
    Matcher end = END_RAW.matcher(source);
    if (!end.find(raw.end())) {
      throw new SyntaxException(line, "'raw' is not closed by 'endraw'");
    }
    advance(raw.group());
    position = raw.end();
    lineStart = false;
    if (raw.group(1).equals("-")) {
      skipSpace();
    }
    String body = source.substring(position, Math.max(position, end.start()));
    text(body, end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0), true);
    advance(end.group());
    position = end.end() - 2 - end.group(2).length();
    close(source.charAt(position), true);
  }

  /** Tokens of the tag at the position; leaves the position at its closing delimiter. */
  private List<Token> tokens(String close) {
    int start = position + 2;
    if (start < source.length() && "-+".indexOf(source.charAt(start)) >= 0) {
      // a sign of white space control; {{+1}} is no use of it but reads the same
      start++;
    }
    TokenLexer lexer = new TokenLexer(source, start, line);
    List<Token> tokens = lexer.read(close);
    position = lexer.position();
    line = lexer.line();
    return tokens;
  }

  /** Passes the closing delimiter, which may have a sign, and the white space that goes with it. */
  private void close(char sign, boolean block) {
    boolean signed = (sign == '-' || sign == '+') && source.charAt(position) == sign;
    position += signed ? 3 : 2;
    lineStart = false;
    if (sign == '-') {
      skipSpace();
    } else if (block && sign != '+' && source.startsWith("\n", position)) {
      position++;
      line++;
      lineStart = true;
    }
  }

  private void skipSpace() {
    int start = position;
    while (position < source.length() && PyStrings.isSpace(source.charAt(position))) {
      position++;
    }
    advance(source.substring(start, position));
    lineStart = position > start && source.charAt(position - 1) == '\n';
  }

  private void emit(Statement statement) {
    open(statement.tag() + " " + statements.size());
    statements.add(statement);
  }

  /** Writes a tag of the skeleton at the line of the source, for jinjava's own messages. */
  private void open(String tag) {
    skeleton.append("{% ").append(tag).append(' ');
    while (skeletonLine < line) {
      skeleton.append('\n');
      skeletonLine++;
    }
    skeleton.append("%}");
  }

  private void tag(ExprParser parser, int at) {
    String name = parser.expectName();
    if (StatementTag.ends(name)) {
      if (name.equals("endmacro") || name.equals("endcall")) {
        parser.acceptName(parser.peek().text());
      }
      open(name);
    } else {
      emit(StatementParser.parse(name, parser, at));
    }
  }
}
