package dev.quern.transformer;

import java.util.Map;
import java.util.ServiceLoader;

/**
 * Turns a conversation into the text that a model was trained on.
 *
 * <p>A template is a program in the language of <a
 * href="https://jinja.palletsprojects.com/en/stable/templates/">Jinja</a> that comes with the model
 * ({@code tokenizer.chat_template}). Messages are data: nothing in them is ever interpreted as
 * template text. Thread-safe.
 */
@FunctionalInterface
public interface ChatTemplate {
  /**
   * The text of the conversation, special tokens included as text.
   *
   * @throws ChatTemplateException where the template fails or refuses the conversation; the message
   *     names the line of the template and the cause
   */
  String render(ChatRequest request);

  /**
   * Compiles a template with the first provider that {@link ServiceLoader} finds.
   *
   * @param source text of the template
   * @param specialTokens variables such as {@code bos_token}, by name
   * @throws ChatTemplateException where the template is malformed, with line and cause, or no
   *     provider is present
   */
  static ChatTemplate compile(String source, Map<String, String> specialTokens) {
    return ServiceLoader.load(ChatTemplateProvider.class)
        .findFirst()
        .orElseThrow(() ->
            new ChatTemplateException(
                "chat template: rendering needs a ChatTemplateProvider but none is present;"
                    + " add the module dev.quern.chat (artifact engine-chat)"))
        .compile(source, specialTokens);
  }
}
