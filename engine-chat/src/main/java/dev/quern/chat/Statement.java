package dev.quern.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a tag says; the tree of tags itself is jinjava's. */
sealed interface Statement {
  /** Line of the template, from 1. */
  int line();

  /** The name of its tag in the skeleton; a block ends with the tag that ends it in templates. */
  default String tag() {
    return switch (this) {
      case Print _ -> "print";
      case If _ -> "if";
      case ElseIf _ -> "elif";
      case Else _ -> "else";
      case For _ -> "for";
      case Set _ -> "assign";
      case SetBlock _ -> "set";
      case Macro _ -> "macro";
      case CallBlock _ -> "call";
      case FilterBlock _ -> "filter";
      case With _ -> "with";
      case Generation _ -> "generation";
      case Break _ -> "break";
      case Continue _ -> "continue";
    };
  }

  record Print(int line, Expr value) implements Statement {}

  record If(int line, Expr test) implements Statement {}

  record ElseIf(int line, Expr test) implements Statement {}

  record Else(int line) implements Statement {}

  record For(int line, Target target, Expr items, @Nullable Expr filter, boolean recursive)
      implements Statement {}

  record Set(int line, Target target, Expr value) implements Statement {}

  /** {@code value} is the variable {@link #BODY}, filtered. */
  record SetBlock(int line, Target target, Expr value) implements Statement {}

  record Macro(int line, String name, Parameters parameters) implements Statement {}

  record CallBlock(int line, Parameters parameters, Expr.Call call) implements Statement {}

  /** {@code value} is the variable {@link #BODY}, filtered. */
  record FilterBlock(int line, Expr value) implements Statement {}

  record With(int line, List<String> names, List<Expr> values) implements Statement {}

  record Generation(int line) implements Statement {}

  record Break(int line) implements Statement {}

  record Continue(int line) implements Statement {}

  /** Variable that holds the rendered body of a block; no template can name it. */
  String BODY = "<body>";

  /** Left side of an assignment. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    /** A field of a namespace. */
    record Field(String variable, String name) implements Target {}

    record Unpack(List<Target> targets) implements Target {}
  }

  /** Parameters of a macro; the last ones may have defaults. */
  record Parameters(List<String> names, List<Expr> defaults) {
    static final Parameters NONE = new Parameters(List.of(), List.of());
  }
}
