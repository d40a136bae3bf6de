package dev.quern.chat;

import dev.quern.transformer.ChatTemplate;
import dev.quern.transformer.ChatTemplateProvider;
import java.time.Clock;
import java.time.ZoneId;
import java.util.Map;

/**
 * Compiles chat templates as Hugging Face transformers does: {@code trim_blocks}, {@code
 * lstrip_blocks}, undefined names print as nothing, values cannot be changed, and {@code
 * raise_exception}, {@code strftime_now}, {@code break}, {@code continue} and {@code generation}
 * are there.
 */
public final class JinjavaChatTemplateProvider implements ChatTemplateProvider {
  /** For {@link java.util.ServiceLoader}. */
  public JinjavaChatTemplateProvider() {}

  @Override
  public ChatTemplate compile(String source, Map<String, String> specialTokens) {
    return new JinjavaChatTemplate(source, specialTokens, Clock.system(ZoneId.systemDefault()));
  }
}
