package dev.quern.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An expression of a template. */
sealed interface Expr {
  record Literal(@Nullable Object value) implements Expr {}

  record Name(String name) implements Expr {}

  record ListOf(List<Expr> items, boolean tuple) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  record Attribute(Expr target, String name) implements Expr {}

  record Index(Expr target, Expr index) implements Expr {}

  record Slice(Expr target, @Nullable Expr from, @Nullable Expr to, @Nullable Expr step)
      implements Expr {}

  record Call(Expr target, Arguments arguments) implements Expr {}

  record Filter(Expr input, String name, Arguments arguments) implements Expr {}

  record Test(Expr input, String name, Arguments arguments, boolean negated) implements Expr {}

  record Not(Expr operand) implements Expr {}

  record Sign(boolean negative, Expr operand) implements Expr {}

  record Logic(boolean and, Expr left, Expr right) implements Expr {}

  record Binary(String operator, Expr left, Expr right) implements Expr {}

  record Compare(Expr first, List<String> operators, List<Expr> operands) implements Expr {}

  record Concat(List<Expr> parts) implements Expr {}

  record Conditional(Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}

  /** Arguments of a call, a filter or a test. */
  record Arguments(List<Expr> positional, Map<String, Expr> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());
  }
}
