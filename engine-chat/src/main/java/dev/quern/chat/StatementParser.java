package dev.quern.chat;

import java.util.ArrayList;
import java.util.List;

/** Parses what a tag other than an end says. */
final class StatementParser {
  private StatementParser() {}

  /**
   * The statement of one tag.
   *
   * @param name first name in the tag
   * @param parser behind that name; afterwards at the end of the tag, unless more is there
   * @param at line of the tag
   * @throws SyntaxException if there is no such tag, or it says something else
   */
  static Statement parse(String name, ExprParser parser, int at) {
    return switch (name) {
      case "if" -> new Statement.If(at, parser.tuple(true));
      case "elif" -> new Statement.ElseIf(at, parser.tuple(true));
      case "else" -> new Statement.Else(at);
      case "for" -> loop(parser, at);
      case "set" -> set(parser, at);
      case "do" ->
          new Statement.Set(at, new Statement.Target.Variable(Statement.BODY), parser.tuple(true));
      case "macro" -> macro(parser, at);
      case "call" -> call(parser, at);
      case "filter" -> new Statement.FilterBlock(at, parser.filterChain(body()));
      case "with" -> with(parser, at);
      case "generation" -> new Statement.Generation(at);
      case "break" -> new Statement.Break(at);
      case "continue" -> new Statement.Continue(at);
      default -> throw new SyntaxException(at, "unknown tag '" + name + "'");
    };
  }

  private static Expr body() {
    return new Expr.Name(Statement.BODY);
  }

  private static Statement loop(ExprParser parser, int at) {
    Statement.Target target = target(parser);
    if (!parser.acceptName("in")) {
      throw parser.unexpected("'in'");
    }
    Expr items = parser.tuple(false);
    Expr filter = parser.acceptName("if") ? parser.expression() : null;
    return new Statement.For(at, target, items, filter, parser.acceptName("recursive"));
  }

  private static Statement set(ExprParser parser, int at) {
    Statement.Target target = target(parser);
    if (parser.accept("=")) {
      return new Statement.Set(at, target, parser.tuple(true));
    }
    Expr value = parser.accept("|") ? parser.filterChain(body()) : body();
    return new Statement.SetBlock(at, target, value);
  }

  private static Statement.Target target(ExprParser parser) {
    List<Statement.Target> targets = new ArrayList<>();
    boolean bracket = parser.accept("(");
    do {
      targets.add(parser.peek().is("(") ? target(parser) : variable(parser));
    } while (parser.accept(","));
    if (bracket) {
      parser.expect(")");
    }
    return targets.size() == 1 ? targets.getFirst() : new Statement.Target.Unpack(targets);
  }

  private static Statement.Target variable(ExprParser parser) {
    String name = parser.expectName();
    return parser.accept(".")
        ? new Statement.Target.Field(name, parser.expectName())
        : new Statement.Target.Variable(name);
  }

  private static Statement macro(ExprParser parser, int at) {
    String name = parser.expectName();
    parser.expect("(");
    return new Statement.Macro(at, name, parameters(parser));
  }

  private static Statement call(ExprParser parser, int at) {
    Statement.Parameters parameters =
        parser.accept("(") ? parameters(parser) : Statement.Parameters.NONE;
    if (parser.expression() instanceof Expr.Call call) {
      return new Statement.CallBlock(at, parameters, call);
    }
    throw parser.unexpected("a call");
  }

  private static Statement.Parameters parameters(ExprParser parser) {
    List<String> names = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    while (!parser.accept(")")) {
      names.add(parser.expectName());
      if (parser.accept("=")) {
        defaults.add(parser.expression());
      } else if (!defaults.isEmpty()) {
        throw parser.unexpected("a default");
      }
      if (!parser.peek().is(")")) {
        parser.expect(",");
      }
    }
    return new Statement.Parameters(names, defaults);
  }

  private static Statement with(ExprParser parser, int at) {
    List<String> names = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (parser.peek().kind() != Token.Kind.END) {
      names.add(parser.expectName());
      parser.expect("=");
      values.add(parser.expression());
      if (!parser.accept(",")) {
        break;
      }
    }
    return new Statement.With(at, names, values);
  }
}
