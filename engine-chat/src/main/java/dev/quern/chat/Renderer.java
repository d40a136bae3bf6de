package dev.quern.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import dev.quern.transformer.ChatTemplateException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One rendering: what each statement does to the output and the variables. Not thread-safe. */
final class Renderer {
  private static final int MAX_DEPTH = 200;

  /** Statements and turns of loops: ten thousand messages need fewer. */
  private static final int MAX_STEPS = 2_000_000;

  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final List<Statement> statements;
  private Scope scope;
  private Flow flow = Flow.NEXT;
  private int loops;
  private int depth;
  private int steps;

  /**
   * A rendering.
   *
   * @param statements what the numbers in the tags mean
   * @param variables scope of the template itself
   */
  Renderer(List<Statement> statements, Scope variables) {
    this.statements = statements;
    this.scope = variables;
  }

  /** Renders one tag; an error gets the line of the innermost statement. */
  String render(TagNode node) {
    Statement statement = statement(node);
    try {
      if (++depth > MAX_DEPTH) {
        throw new PyException("nested more than " + MAX_DEPTH + " deep; a macro calls itself?");
      }
      step();
      return run(statement, node);
    } catch (PyException e) {
      throw new ChatTemplateException(statement.line(), String.valueOf(e.getMessage()), e);
    } finally {
      depth--;
    }
  }

  private void step() {
    if (++steps > MAX_STEPS) {
      throw new PyException("more than " + MAX_STEPS + " steps; a loop in a loop?");
    }
  }

  private Statement statement(TagNode node) {
    return statements.get(Integer.parseInt(node.getHelpers().trim()));
  }

  private String run(Statement statement, TagNode node) {
    return switch (statement) {
      case Statement.Print print -> PyText.print(eval(print.value()));
      case Statement.If test -> branch(test, node);
      case Statement.ElseIf _ -> throw new PyException("'elif' without 'if'");
      case Statement.Else _ -> throw new PyException("'else' without 'if' or 'for'");
      case Statement.For loop -> loop(loop, items(loop, eval(loop.items())), node, 1);
      case Statement.Set set -> {
        assign(set.target(), eval(set.value()));
        yield "";
      }
      case Statement.SetBlock set -> {
        assign(set.target(), filtered(set.value(), node));
        yield "";
      }
      case Statement.Macro macro -> {
        scope.set(macro.name(), macro(macro.name(), macro.parameters(), node.getChildren()));
        yield "";
      }
      case Statement.CallBlock call -> {
        PyCallable caller = macro("caller", call.parameters(), node.getChildren());
        yield PyText.print(Evaluator.call(call.call(), "caller", caller, scope));
      }
      case Statement.FilterBlock filter -> PyText.print(filtered(filter.value(), node));
      case Statement.With with -> with(with, node);
      case Statement.Generation _ -> inside(new Scope(scope), () -> body(node.getChildren()));
      case Statement.Break _ -> jump(Flow.BREAK);
      case Statement.Continue _ -> jump(Flow.CONTINUE);
    };
  }

  private @Nullable Object eval(Expr expr) {
    return Evaluator.eval(expr, scope);
  }

  private interface Body {
    String render();
  }

  private String inside(Scope inner, Body body) {
    Scope outer = scope;
    scope = inner;
    try {
      return body.render();
    } finally {
      scope = outer;
    }
  }

  /** Renders nodes until the end or a jump. */
  private String body(Iterable<? extends Node> nodes) {
    JinjavaInterpreter interpreter = JinjavaInterpreter.getCurrent();
    StringBuilder out = new StringBuilder();
    for (Node node : nodes) {
      out.append(node.render(interpreter).getValue());
      Py.requireLength(out.length());
      if (flow != Flow.NEXT) {
        break;
      }
    }
    return out.toString();
  }

  private String jump(Flow to) {
    if (loops == 0) {
      throw new PyException("'break' and 'continue' need a loop around them");
    }
    flow = to;
    return "";
  }

  /** Splits the children at their {@code elif} and {@code else}. */
  private List<List<Node>> branches(TagNode node) {
    List<List<Node>> branches = new ArrayList<>(List.of(new ArrayList<>()));
    for (Node child : node.getChildren()) {
      if (child instanceof TagNode tag
          && (statement(tag) instanceof Statement.Else
              || (statement(tag) instanceof Statement.ElseIf
                  && statement(node) instanceof Statement.If))) {
        branches.add(new ArrayList<>());
      }
      branches.getLast().add(child);
    }
    return branches;
  }

  private String branch(Statement.If test, TagNode node) {
    List<List<Node>> branches = branches(node);
    if (Py.truth(eval(test.test()))) {
      return body(branches.getFirst());
    }
    for (List<Node> branch : branches.subList(1, branches.size())) {
      Statement head = statement((TagNode) branch.getFirst());
      if (head instanceof Statement.Else
          || (head instanceof Statement.ElseIf next && Py.truth(evalAt(next)))) {
        return body(branch.subList(1, branch.size()));
      }
    }
    return "";
  }

  private @Nullable Object evalAt(Statement.ElseIf test) {
    try {
      return eval(test.test());
    } catch (PyException e) {
      throw new ChatTemplateException(test.line(), String.valueOf(e.getMessage()), e);
    }
  }

  /** The items that pass the filter of the loop. */
  private List<@Nullable Object> items(Statement.For loop, @Nullable Object of) {
    List<@Nullable Object> items = Py.items(of);
    Expr filter = loop.filter();
    if (filter == null) {
      return items;
    }
    List<@Nullable Object> kept = new ArrayList<>();
    for (Object item : items) {
      step();
      Scope inner = new Scope(scope);
      bind(loop.target(), item, inner);
      if (Py.truth(Evaluator.eval(filter, inner))) {
        kept.add(item);
      }
    }
    return kept;
  }

  private String loop(
      Statement.For statement, List<@Nullable Object> items, TagNode node, int level) {
    List<List<Node>> branches = branches(node);
    if (items.isEmpty()) {
      return branches.size() == 1 ? "" : body(branches.get(1).subList(1, branches.get(1).size()));
    }
    Scope outside = scope;
    PyCallable again =
        (positional, named) ->
            inside(
                outside,
                () -> loop(statement, items(statement, positional.getFirst()), node, level + 1));
    Loop loop = new Loop(items, level, statement.recursive() ? again : null);
    StringBuilder out = new StringBuilder();
    loops++;
    for (int i = 0; i < items.size() && flow != Flow.BREAK; i++) {
      step();
      flow = Flow.NEXT;
      loop.moveTo(i);
      Scope inner = new Scope(outside);
      inner.set("loop", loop);
      bind(statement.target(), items.get(i), inner);
      out.append(inside(inner, () -> body(branches.getFirst())));
      Py.requireLength(out.length());
    }
    loops--;
    flow = Flow.NEXT;
    return out.toString();
  }

  private @Nullable Object filtered(Expr value, TagNode node) {
    Scope inner = new Scope(scope);
    inner.set(Statement.BODY, inside(inner, () -> body(node.getChildren())));
    return Evaluator.eval(value, inner);
  }

  private String with(Statement.With with, TagNode node) {
    Scope inner = new Scope(scope);
    for (int i = 0; i < with.names().size(); i++) {
      inner.set(with.names().get(i), eval(with.values().get(i)));
    }
    return inside(inner, () -> body(node.getChildren()));
  }

  private void assign(Statement.Target target, @Nullable Object value) {
    bind(target, value, scope);
  }

  private static void bind(Statement.Target target, @Nullable Object value, Scope scope) {
    switch (target) {
      case Statement.Target.Variable(String name) -> scope.set(name, value);
      case Statement.Target.Field(String variable, String name) -> {
        if (!(scope.get(variable) instanceof Namespace namespace)) {
          throw new PyException("only fields of a namespace can be set, not " + variable);
        }
        namespace.fields().put(name, value);
      }
      case Statement.Target.Unpack(List<Statement.Target> targets) -> {
        List<@Nullable Object> values = Py.items(value);
        if (values.size() != targets.size()) {
          throw new PyException(
              "cannot unpack " + values.size() + " values into " + targets.size() + " names");
        }
        for (int i = 0; i < targets.size(); i++) {
          bind(targets.get(i), values.get(i), scope);
        }
      }
    }
  }

  private PyCallable macro(
      String name, Statement.Parameters parameters, List<? extends Node> nodes) {
    Scope definition = scope;
    return (positional, named) -> {
      Scope inner = new Scope(definition);
      new Args(name, positional, named).bind(parameters, inner);
      int outerLoops = loops;
      loops = 0;
      try {
        return inside(inner, () -> body(nodes));
      } finally {
        loops = outerLoops;
      }
    };
  }
}
