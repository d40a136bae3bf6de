package dev.quern.chat;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tuple: a list that prints with round brackets. */
final class PyTuple extends AbstractList<@Nullable Object> {
  private final List<@Nullable Object> items;

  PyTuple(List<@Nullable Object> items) {
    this.items = items;
  }

  @Override
  public @Nullable Object get(int index) {
    return items.get(index);
  }

  @Override
  public int size() {
    return items.size();
  }
}
