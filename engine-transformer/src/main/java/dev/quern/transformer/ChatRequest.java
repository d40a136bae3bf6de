package dev.quern.transformer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chat template is rendered with.
 *
 * @param messages the conversation, oldest first
 * @param addGenerationPrompt whether the text ends with the opening of the assistant's answer
 * @param tools descriptions of functions that the model may call, in the form of a JSON schema; an
 *     empty list reaches the template as {@code none}
 * @param variables further variables of the template, for example {@code enable_thinking}; they win
 *     over the names above
 */
public record ChatRequest(
    List<ChatMessage> messages,
    boolean addGenerationPrompt,
    List<? extends Map<String, ?>> tools,
    Map<String, ?> variables) {
  /** Copies lists and maps. */
  public ChatRequest {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
  }

  /** The conversation, followed by the opening of an answer; no tools, no further variables. */
  public static ChatRequest of(List<ChatMessage> messages) {
    return new ChatRequest(messages, true, List.of(), Map.of());
  }
}
