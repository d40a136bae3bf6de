package dev.quern.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.transformer.ChatMessage;
import dev.quern.transformer.ChatRequest;
import dev.quern.transformer.ChatTemplate;
import dev.quern.transformer.ChatTemplateException;
import dev.quern.transformer.ChatTemplateProvider;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {
  private static final String FABLE =
      """
      {% for message in messages %}<|im_start|>{{ message['role'] }}
      {{ message['content'] }}<|im_end|>
      {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
      {% endif %}\
      """;

  private static ChatRequest user(String content) {
    return ChatRequest.of(List.of(new ChatMessage("user", content)));
  }

  @Test
  void theServiceRendersTheTemplateOfTheFableModels() {
    assertThat(
            ChatTemplate.compile(FABLE, Map.of())
                .render(user("Tell me a story about an owl named Otto.")))
        .isEqualTo(
            """
            <|im_start|>user
            Tell me a story about an owl named Otto.<|im_end|>
            <|im_start|>assistant
            """);
  }

  @Test
  void theModuleAndTheClassPathNameTheSameProvider() throws IOException {
    String service = ChatTemplateProvider.class.getName();
    String provider = JinjavaChatTemplateProvider.class.getName();
    ClassLoader loader = JinjavaChatTemplateProvider.class.getClassLoader();
    try (InputStream services = loader.getResourceAsStream("META-INF/services/" + service)) {
      assertThat(new String(services.readAllBytes(), StandardCharsets.UTF_8).strip())
          .isEqualTo(provider);
    }
    String classes =
        JinjavaChatTemplateProvider.class
            .getProtectionDomain()
            .getCodeSource()
            .getLocation()
            .toString();
    try (InputStream descriptor =
        java.net.URI.create(classes + "module-info.class").toURL().openStream()) {
      assertThat(ModuleDescriptor.read(descriptor).provides())
          .extracting(ModuleDescriptor.Provides::service, ModuleDescriptor.Provides::providers)
          .containsExactly(org.assertj.core.groups.Tuple.tuple(service, List.of(provider)));
    }
  }

  @Test
  void whatAMessageSaysIsNeverATemplate() {
    String hostile = "{{ 7 * 7 }}{% for x in y %}{# c #}{{ raise_exception('x') }} {% endraw %}<&>";
    String twice = "{% set x %}{{ messages[0].content }}{% endset %}{{ x }}{{ '{{' }} 7 * 7 }}";
    assertThat(ChatTemplate.compile(twice, Map.of()).render(user(hostile)))
        .isEqualTo(hostile + "{{ 7 * 7 }}");
    assertThat(ChatTemplate.compile(FABLE, Map.of()).render(user(hostile))).contains(hostile);
  }

  @Test
  void longOutputIsWhole() {
    String content =
        IntStream.range(0, 300_000).mapToObj(i -> i + " ").collect(Collectors.joining());
    ChatRequest request =
        ChatRequest.of(
            IntStream.range(0, 200)
                .mapToObj(i -> new ChatMessage(i % 2 == 0 ? "user" : "assistant", "m" + i))
                .toList());
    assertThat(ChatTemplate.compile(FABLE, Map.of()).render(user(content))).contains(content);
    assertThat(ChatTemplate.compile(FABLE, Map.of()).render(request).split("\n", -1)).hasSize(402);
  }

  @Test
  void toolsAndVariablesAndSpecialTokensReachTheTemplate() {
    ChatRequest request =
        new ChatRequest(
            List.of(new ChatMessage("assistant", null, Map.of("tool_calls", List.of(1)))),
            false,
            List.of(Map.of("name", "f")),
            Map.of("enable_thinking", false, "count", 3));
    String template =
        "{{ bos_token }}{{ tools | tojson }}{{ messages[0] }}{{ add_generation_prompt }}"
            + "{{ enable_thinking is false }}{{ count + 1 }}";
    assertThat(ChatTemplate.compile(template, Map.of("bos_token", "<s>")).render(request))
        .isEqualTo(
            "<s>[{\"name\": \"f\"}]{'role': 'assistant', 'content': None, 'tool_calls': [1]}"
                + "FalseTrue4");
    assertThat(ChatTemplate.compile("{{ tools is none }}", Map.of()).render(user("x")))
        .isEqualTo("True");
  }

  @Test
  void anErrorNamesItsLineAndCause() {
    ChatTemplate template =
        ChatTemplate.compile(
            "one\n{% for m in messages %}\n{% if m.role == 'user' %}\n"
                + "{{ raise_exception('no users, please') }}{% endif %}\n{% endfor %}",
            Map.of());
    assertThatThrownBy(() -> template.render(user("x")))
        .isInstanceOf(ChatTemplateException.class)
        .hasMessage("chat template: line 4: no users, please")
        .extracting(e -> ((ChatTemplateException) e).line())
        .isEqualTo(4);
    assertThatThrownBy(() -> ChatTemplate.compile("a\n\n{{ 1 + }}", Map.of()))
        .hasMessage("chat template: line 3: expected an expression, got end of the tag");
    assertThatThrownBy(
            () -> ChatTemplate.compile("a\n{% if true %}\nb", Map.of()).render(user("x")))
        .hasMessage("chat template: line 2: Missing end tag: endif");
    assertThatThrownBy(() ->
            ChatTemplate.compile("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", Map.of())
                .render(user("x")))
        .hasMessageContaining("a macro calls itself?");
  }

  @Test
  void aTemplateIsThreadSafe() {
    ChatTemplate template = ChatTemplate.compile(FABLE, Map.of());
    assertThat(
            IntStream.range(0, 200)
                .parallel()
                .mapToObj(i -> template.render(user("n" + i)).contains("n" + i + "<|im_end|>"))
                .toList())
        .doesNotContain(false);
  }
}
