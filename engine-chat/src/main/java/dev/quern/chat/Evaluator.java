package dev.quern.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values of expressions, with Python's meaning. */
final class Evaluator {
  private Evaluator() {}

  static @Nullable Object eval(Expr expr, Scope scope) {
    return switch (expr) {
      case Expr.Literal(Object value) -> value;
      case Expr.Name(String name) -> scope.get(name);
      case Expr.ListOf(List<Expr> items, boolean tuple) -> {
        List<@Nullable Object> values = all(items, scope);
        yield tuple ? new PyTuple(values) : values;
      }
      case Expr.DictOf(List<Expr> keys, List<Expr> values) -> dict(keys, values, scope);
      case Expr.Attribute(Expr target, String name) ->
          PyMethods.attribute(eval(target, scope), name);
      case Expr.Index(Expr target, Expr index) ->
          PySlices.index(eval(target, scope), eval(index, scope));
      case Expr.Slice s ->
          PySlices.slice(
              eval(s.target(), scope),
              optional(s.from(), scope),
              optional(s.to(), scope),
              optional(s.step(), scope));
      case Expr.Call(Expr target, Expr.Arguments arguments) ->
          call(eval(target, scope), arguments, scope);
      case Expr.Filter(Expr input, String name, Expr.Arguments arguments) ->
          Filters.apply(name, eval(input, scope), args(name, arguments, scope));
      case Expr.Test(Expr input, String name, Expr.Arguments arguments, boolean negated) ->
          Tests.apply(name, eval(input, scope), args(name, arguments, scope)) != negated;
      case Expr.Not(Expr operand) -> !Py.truth(eval(operand, scope));
      case Expr.Sign(boolean negative, Expr operand) ->
          PyArithmetic.apply(negative ? "-" : "+", 0L, eval(operand, scope));
      case Expr.Logic(boolean and, Expr left, Expr right) -> {
        Object value = eval(left, scope);
        yield Py.truth(value) == and ? eval(right, scope) : value;
      }
      case Expr.Binary(String operator, Expr left, Expr right) ->
          PyArithmetic.apply(operator, eval(left, scope), eval(right, scope));
      case Expr.Compare compare -> compare(compare, scope);
      case Expr.Concat(List<Expr> parts) -> {
        StringBuilder text = new StringBuilder();
        for (Expr part : parts) {
          text.append(PyText.print(eval(part, scope)));
          Py.requireLength(text.length());
        }
        yield text.toString();
      }
      case Expr.Conditional(Expr test, Expr then, Expr otherwise) ->
          Py.truth(eval(test, scope))
              ? eval(then, scope)
              : otherwise != null
                  ? eval(otherwise, scope)
                  : new Undefined("the inline 'if' has no 'else'");
    };
  }

  private static @Nullable Object optional(@Nullable Expr expr, Scope scope) {
    return expr == null ? null : eval(expr, scope);
  }

  private static List<@Nullable Object> all(List<Expr> items, Scope scope) {
    List<@Nullable Object> values = new ArrayList<>(items.size());
    items.forEach(item -> values.add(eval(item, scope)));
    return values;
  }

  private static Object dict(List<Expr> keys, List<Expr> values, Scope scope) {
    Map<@Nullable Object, @Nullable Object> dict = new LinkedHashMap<>();
    for (int i = 0; i < keys.size(); i++) {
      dict.put(eval(keys.get(i), scope), eval(values.get(i), scope));
    }
    return dict;
  }

  private static Args args(String owner, Expr.Arguments arguments, Scope scope) {
    return new Args(owner, all(arguments.positional(), scope), named(arguments, scope));
  }

  private static Map<String, @Nullable Object> named(Expr.Arguments arguments, Scope scope) {
    Map<String, @Nullable Object> named = new LinkedHashMap<>();
    arguments.named().forEach((name, value) -> named.put(name, eval(value, scope)));
    return named;
  }

  private static @Nullable Object call(
      @Nullable Object target, Expr.Arguments arguments, Scope scope) {
    return callable(target).call(all(arguments.positional(), scope), named(arguments, scope));
  }

  /** Calls with a further named argument. */
  static @Nullable Object call(Expr.Call call, String name, Object value, Scope scope) {
    Map<String, @Nullable Object> named = named(call.arguments(), scope);
    named.put(name, value);
    return callable(eval(call.target(), scope))
        .call(all(call.arguments().positional(), scope), named);
  }

  private static PyCallable callable(@Nullable Object target) {
    return switch (target) {
      case PyCallable function -> function;
      case Undefined u -> throw u.error();
      case null, default ->
          throw new PyException("'" + Py.type(target) + "' object is not callable");
    };
  }

  private static boolean compare(Expr.Compare compare, Scope scope) {
    Object left = eval(compare.first(), scope);
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = eval(compare.operands().get(i), scope);
      boolean holds =
          switch (compare.operators().get(i)) {
            case "==" -> Py.equal(left, right);
            case "!=" -> !Py.equal(left, right);
            case "<" -> Py.compare(left, right) < 0;
            case "<=" -> Py.compare(left, right) <= 0;
            case ">" -> Py.compare(left, right) > 0;
            case ">=" -> Py.compare(left, right) >= 0;
            case "in" -> Py.contains(right, left);
            default -> !Py.contains(right, left);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }
}
