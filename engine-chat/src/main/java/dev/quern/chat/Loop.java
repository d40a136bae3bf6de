package dev.quern.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}. Its position moves with the loop. */
final class Loop implements PyCallable {
  private final List<@Nullable Object> items;
  private final int depth;
  private final @Nullable PyCallable again;
  private int index;

  /**
   * A loop before its first item.
   *
   * @param again renders the body of a recursive loop over other items
   */
  Loop(List<@Nullable Object> items, int depth, @Nullable PyCallable again) {
    this.items = items;
    this.depth = depth;
    this.again = again;
  }

  void moveTo(int position) {
    index = position;
  }

  @Nullable Object attribute(String name) {
    int size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) size - index;
      case "revindex0" -> (long) size - index - 1;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> (long) size;
      case "depth" -> (long) depth;
      case "depth0" -> depth - 1L;
      case "previtem" ->
          index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
      case "nextitem" ->
          index < size - 1 ? items.get(index + 1) : new Undefined("there is no next item");
      case "cycle" -> (PyCallable) (positional, named) -> cycle(positional);
      default -> new Undefined("'loop' has no attribute '" + name + "'");
    };
  }

  private @Nullable Object cycle(List<@Nullable Object> values) {
    if (values.isEmpty()) {
      throw new PyException("loop.cycle needs at least one value");
    }
    return values.get(index % values.size());
  }

  @Override
  public @Nullable Object call(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    if (again == null) {
      throw new PyException("the loop is called but not marked 'recursive'");
    }
    return again.call(positional, named);
  }
}
