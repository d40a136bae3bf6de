package dev.quern.transformer;

import java.util.Map;

/** The service behind {@link ChatTemplate#compile}: a template engine. */
@FunctionalInterface
public interface ChatTemplateProvider {
  /**
   * Compiles a template.
   *
   * @param source text of the template
   * @param specialTokens variables such as {@code bos_token}, by name
   * @throws ChatTemplateException where the template is malformed, with line and cause
   */
  ChatTemplate compile(String source, Map<String, String> specialTokens);
}
