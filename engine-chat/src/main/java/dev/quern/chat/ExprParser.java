package dev.quern.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Recursive descent over the tokens of one tag, with the precedence of Jinja: inline {@code if},
 * {@code or}, {@code and}, {@code not}, comparison, {@code + -}, {@code ~}, {@code * / // %},
 * {@code **}, sign, then attributes, calls, filters and tests.
 */
final class ExprParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
  private static final Set<String> NO_TEST_ARGUMENT = Set.of("else", "or", "and", "if", "is");

  private final List<Token> tokens;
  private int position;

  ExprParser(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(position);
  }

  Token next() {
    Token token = tokens.get(position);
    if (token.kind() != Token.Kind.END) {
      position++;
    }
    return token;
  }

  boolean accept(String operator) {
    if (peek().is(operator)) {
      position++;
      return true;
    }
    return false;
  }

  boolean acceptName(String name) {
    if (peek().isName(name)) {
      position++;
      return true;
    }
    return false;
  }

  void expect(String operator) {
    if (!accept(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  String expectName() {
    if (peek().kind() != Token.Kind.NAME) {
      throw unexpected("a name");
    }
    return next().text();
  }

  void expectEnd() {
    if (peek().kind() != Token.Kind.END) {
      throw unexpected("the end of the tag");
    }
  }

  SyntaxException unexpected(String wanted) {
    return new SyntaxException(peek().line(), "expected " + wanted + ", got " + peek().describe());
  }

  /** One expression, or several with commas between them: a tuple. */
  Expr tuple(boolean withConditional) {
    Expr first = withConditional ? expression() : or();
    if (!peek().is(",")) {
      return first;
    }
    List<Expr> items = new ArrayList<>(List.of(first));
    while (accept(",")) {
      if (peek().kind() == Token.Kind.END || peek().is(")")) {
        break;
      }
      items.add(withConditional ? expression() : or());
    }
    return new Expr.ListOf(items, true);
  }

  Expr expression() {
    Expr value = or();
    while (acceptName("if")) {
      Expr test = or();
      value = new Expr.Conditional(test, value, acceptName("else") ? expression() : null);
    }
    return value;
  }

  Expr or() {
    Expr left = and();
    while (acceptName("or")) {
      left = new Expr.Logic(false, left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (acceptName("and")) {
      left = new Expr.Logic(true, left, not());
    }
    return left;
  }

  private Expr not() {
    return acceptName("not") ? new Expr.Not(not()) : compare();
  }

  private Expr compare() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> operands = new ArrayList<>();
    while (true) {
      Token token = peek();
      if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(next().text());
      } else if (acceptName("in")) {
        operators.add("in");
      } else if (token.isName("not") && tokens.get(position + 1).isName("in")) {
        position += 2;
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    return operators.isEmpty() ? first : new Expr.Compare(first, operators, operands);
  }

  private Expr sum() {
    Expr left = concat();
    while (peek().is("+") || peek().is("-")) {
      left = new Expr.Binary(next().text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    List<Expr> parts = new ArrayList<>(List.of(product()));
    while (accept("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (peek().kind() == Token.Kind.OPERATOR && PRODUCTS.contains(peek().text())) {
      left = new Expr.Binary(next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = sign(true);
    while (accept("**")) {
      left = new Expr.Binary("**", left, sign(true));
    }
    return left;
  }

  private Expr sign(boolean withFilters) {
    Expr value;
    if (peek().is("-") || peek().is("+")) {
      value = new Expr.Sign(next().is("-"), sign(false));
    } else {
      value = postfix(primary());
    }
    return withFilters ? filters(value) : value;
  }

  private Expr primary() {
    Token token = next();
    return switch (token.kind()) {
      case NAME -> named(token.text());
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (peek().kind() == Token.Kind.STRING) {
          text.append(next().text());
        }
        yield new Expr.Literal(text.toString());
      }
      case INTEGER -> new Expr.Literal(integer(token));
      case FLOAT -> new Expr.Literal(Double.valueOf(token.text().replace("_", "")));
      case OPERATOR -> bracketed(token);
      case END -> throw unexpected("an expression");
    };
  }

  private static Long integer(Token token) {
    try {
      return Long.valueOf(token.text().replace("_", ""));
    } catch (NumberFormatException e) {
      throw new SyntaxException(token.line(), "integer " + token.text() + " is above 64 bits");
    }
  }

  private static Expr named(String name) {
    return switch (name) {
      case "true", "True" -> new Expr.Literal(true);
      case "false", "False" -> new Expr.Literal(false);
      case "none", "None" -> new Expr.Literal(null);
      default -> new Expr.Name(name);
    };
  }

  private Expr bracketed(Token open) {
    if (open.is("(")) {
      if (accept(")")) {
        return new Expr.ListOf(List.of(), true);
      }
      Expr inner = tuple(true);
      expect(")");
      return inner;
    }
    if (open.is("[")) {
      List<Expr> items = new ArrayList<>();
      while (!accept("]")) {
        items.add(expression());
        if (!peek().is("]")) {
          expect(",");
        }
      }
      return new Expr.ListOf(items, false);
    }
    if (open.is("{")) {
      return dict();
    }
    throw new SyntaxException(open.line(), "expected an expression, got " + open.describe());
  }

  private Expr dict() {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!accept("}")) {
      keys.add(expression());
      expect(":");
      values.add(expression());
      if (!peek().is("}")) {
        expect(",");
      }
    }
    return new Expr.DictOf(keys, values);
  }

  private Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      if (accept(".")) {
        Token token = next();
        value =
            switch (token.kind()) {
              case NAME -> new Expr.Attribute(value, token.text());
              case INTEGER -> new Expr.Index(value, new Expr.Literal(integer(token)));
              case STRING, FLOAT, OPERATOR, END ->
                  throw new SyntaxException(
                      token.line(), "expected a name after '.', got " + token.describe());
            };
      } else if (accept("[")) {
        value = subscript(value);
      } else if (accept("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr target) {
    Expr from = peek().is(":") ? null : expression();
    if (from != null && accept("]")) {
      return new Expr.Index(target, from);
    }
    expect(":");
    Expr to = peek().is(":") || peek().is("]") ? null : expression();
    Expr step = accept(":") && !peek().is("]") ? expression() : null;
    expect("]");
    return new Expr.Slice(target, from, to, step);
  }

  /** Arguments of a call whose opening bracket has been read. */
  Expr.Arguments arguments() {
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    while (!accept(")")) {
      if (peek().kind() == Token.Kind.NAME && tokens.get(position + 1).is("=")) {
        String name = next().text();
        expect("=");
        named.put(name, expression());
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw unexpected("a named argument");
      }
      if (!peek().is(")")) {
        expect(",");
      }
    }
    return new Expr.Arguments(positional, named);
  }

  private Expr filters(Expr start) {
    Expr value = start;
    while (true) {
      if (peek().is("|")) {
        value = filter(value);
      } else if (acceptName("is")) {
        value = test(value);
      } else if (accept("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr filter(Expr input) {
    expect("|");
    String name = expectName();
    return new Expr.Filter(input, name, accept("(") ? arguments() : Expr.Arguments.NONE);
  }

  /** The filters of {@code {% filter a | b %}}, applied to {@code body}. */
  Expr filterChain(Expr body) {
    String name = expectName();
    Expr first = new Expr.Filter(body, name, accept("(") ? arguments() : Expr.Arguments.NONE);
    return filters(first);
  }

  private Expr test(Expr input) {
    boolean negated = acceptName("not");
    String name = expectName();
    Expr.Arguments arguments = Expr.Arguments.NONE;
    if (accept("(")) {
      arguments = arguments();
    } else if (startsTestArgument()) {
      arguments = new Expr.Arguments(List.of(postfix(primary())), Map.of());
    }
    return new Expr.Test(input, name, arguments, negated);
  }

  private boolean startsTestArgument() {
    Token token = peek();
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME ->
          !NO_TEST_ARGUMENT.contains(token.text())
              && !(token.isName("not") && tokens.get(position + 1).isName("in"));
      case OPERATOR -> token.is("[") || token.is("{");
      case END -> false;
    };
  }
}
