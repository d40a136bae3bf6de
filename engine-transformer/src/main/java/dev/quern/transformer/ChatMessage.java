package dev.quern.transformer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One message of a conversation, as a chat template sees it: a mapping of {@code role}, {@code
 * content} and whatever else the template knows, for example {@code tool_calls}.
 *
 * @param role who speaks: usually {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content what is said; null where the message carries something else, as a tool call
 * @param extra further fields; values are strings, numbers, booleans, lists, maps and null
 */
public record ChatMessage(String role, @Nullable String content, Map<String, ?> extra) {
  /** Copies the map, keeping its order. */
  public ChatMessage {
    extra = Collections.unmodifiableMap(new LinkedHashMap<>(extra));
  }

  /** A message with a role and a content only. */
  public ChatMessage(String role, String content) {
    this(role, content, Map.of());
  }

  /** All fields by name, in the order role, content, extra. */
  public Map<String, @Nullable Object> fields() {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("role", role);
    fields.put("content", content);
    fields.putAll(extra);
    return fields;
  }
}
