package dev.quern.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A function, macro or bound method. */
@FunctionalInterface
interface PyCallable {
  @Nullable Object call(List<@Nullable Object> positional, Map<String, @Nullable Object> named);
}
