package dev.quern.chat;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables of a block, and those of the blocks around it. */
final class Scope {
  private final @Nullable Scope parent;
  private final Map<String, @Nullable Object> variables = new HashMap<>();

  Scope(@Nullable Scope parent) {
    this.parent = parent;
  }

  void set(String name, @Nullable Object value) {
    variables.put(name, value);
  }

  /** The value, or an {@link Undefined}. */
  @Nullable Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      if (scope.variables.containsKey(name)) {
        return scope.variables.get(name);
      }
    }
    return Undefined.name(name);
  }
}
