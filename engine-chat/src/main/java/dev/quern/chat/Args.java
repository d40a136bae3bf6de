package dev.quern.chat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Arguments of a method, filter or test, by position or name.
 *
 * @param owner what is called, for messages
 */
record Args(String owner, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
  int count() {
    return positional.size() + named.size();
  }

  boolean has(int index, String name) {
    return index < positional.size() || named.containsKey(name);
  }

  @Nullable Object get(int index, String name, @Nullable Object otherwise) {
    if (index < positional.size()) {
      return positional.get(index);
    }
    return named.containsKey(name) ? named.get(name) : otherwise;
  }

  @Nullable Object need(int index, String name) {
    if (!has(index, name)) {
      throw new PyException(owner + ": argument '" + name + "' is missing");
    }
    return get(index, name, null);
  }

  /** The arguments behind the first {@code skipped}, for what they are passed on to. */
  Args from(int skipped, String callee) {
    return new Args(callee, positional.subList(skipped, positional.size()), named);
  }

  String text(int index, String name) {
    Object value = need(index, name);
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Undefined u) {
      throw u.error();
    }
    throw new PyException(owner + ": '" + name + "' must be a string but is " + Py.type(value));
  }

  long integer(int index, String name, long otherwise) {
    Object value = get(index, name, otherwise);
    return value == null ? otherwise : Py.integer(value);
  }

  boolean flag(int index, String name, boolean otherwise) {
    return Py.truth(get(index, name, otherwise));
  }

  /**
   * Binds the parameters of a macro, and {@code caller}; one without argument or default is
   * undefined. There are no {@code varargs} and {@code kwargs}: what is left over is an error.
   */
  void bind(Statement.Parameters parameters, Scope scope) {
    List<String> names = parameters.names();
    int required = names.size() - parameters.defaults().size();
    Map<String, @Nullable Object> rest = new LinkedHashMap<>(named);
    scope.set("caller", rest.containsKey("caller") ? rest.get("caller") : Undefined.name("caller"));
    rest.remove("caller");
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      if (has(i, name)) {
        scope.set(name, get(i, name, null));
      } else {
        scope.set(
            name,
            i < required
                ? Undefined.name(name)
                : Evaluator.eval(parameters.defaults().get(i - required), scope));
      }
      rest.remove(name);
    }
    if (positional.size() > names.size()) {
      throw new PyException(
          owner + ": takes " + names.size() + " arguments but got " + positional.size());
    }
    if (!rest.isEmpty()) {
      throw new PyException(owner + ": takes no arguments " + rest.keySet());
    }
  }
}
