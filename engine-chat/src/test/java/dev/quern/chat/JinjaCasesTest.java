package dev.quern.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.transformer.ChatTemplateException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Our own templates give what jinja2 gave for them ({@code make-cases.py}), or fail as it did. */
class JinjaCasesTest {
  private static final Clock NOW =
      Clock.fixed(Instant.parse("2026-11-21T09:05:07Z"), ZoneOffset.UTC);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (InputStream in = JinjaCasesTest.class.getResourceAsStream("cases.json")) {
      JsonNode root = JSON.readTree(in);
      for (JsonNode node : root.get("cases")) {
        JsonNode set = root.get("sets").get(node.get("with").asText());
        tests.add(DynamicTest.dynamicTest(node.get("name").asText(), () -> check(node, set)));
      }
    }
    assertThat(tests).hasSizeGreaterThan(400);
    return tests;
  }

  @SuppressWarnings("unchecked")
  private static void check(JsonNode node, JsonNode set) {
    Map<String, Object> variables = JSON.convertValue(set, Map.class);
    variables.putAll(JSON.convertValue(node.get("variables"), Map.class));
    String template = node.get("template").asText();
    if (node.has("error")) {
      assertThatThrownBy(() -> render(template, variables))
          .as("jinja2: %s", node.get("error").asText())
          .isInstanceOf(ChatTemplateException.class)
          .hasMessageStartingWith("chat template: line ");
    } else {
      assertThat(render(template, variables)).isEqualTo(node.get("expected").asText());
    }
  }

  private static String render(String template, Map<String, Object> variables) {
    return new JinjavaChatTemplate(template, Map.of(), NOW).render(variables);
  }
}
