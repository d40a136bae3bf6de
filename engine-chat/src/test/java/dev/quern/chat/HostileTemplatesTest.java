package dev.quern.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.transformer.ChatTemplateException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates come with models from anywhere: one that is hostile ends in an exception, and soon. */
class HostileTemplatesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration LONG = Duration.ofMinutes(30);
  private static final String[] PIECES = {
    "{% for i in range(1000) %}",
    "{% endfor %}",
    "{% if",
    "{{",
    "}}",
    "%}",
    "-%}",
    "{%-",
    "'",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "|",
    ".",
    "**",
    "*",
    "9999999999",
    "-1",
    "1e9",
    "~",
    "is",
    "not",
    "loop.index",
    "messages",
    "x",
    "{# ",
    "#}",
    "tojson(indent=9)",
    "join(x)",
    "\0",
    "\uD800"
  };

  private volatile int current;

  private static String render(String template, Map<String, Object> variables) {
    return new JinjavaChatTemplate(template, Map.of(), Clock.systemUTC()).render(variables);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(t='x') %}{% for a in range(64) %}{% set ns.t = ns.t + ns.t %}"
            + "{% endfor %}",
        "{% set ns = namespace(t='x') %}{% for a in range(64) %}{% set ns.t = ns.t ~ ns.t %}"
            + "{% endfor %}",
        "{% set ns = namespace(t=[1]) %}{% for a in range(64) %}{% set ns.t = ns.t + ns.t %}"
            + "{% endfor %}",
        "{{ 'x' * 9999999999 }}",
        "{{ 2 ** 9999999999 }}",
        "{{ 7 ** 2000000000 }}",
        "{{ [1] | batch(0) }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"
      })
  void whatNeverEndsIsStopped(String template) {
    Assertions.assertTimeoutPreemptively(
        SOON,
        () ->
            assertThatThrownBy(() -> render(template, Map.of()))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageStartingWith("chat template: line 1: "));
  }

  @Test
  void whatIsNestedTooDeepIsRefused() {
    for (String[] around :
        new String[][] {{"(", ")"}, {"[", "]"}, {"-", ""}, {"not ", ""}, {"x[", "]"}}) {
      String template = "{{ " + around[0].repeat(20_000) + "1" + around[1].repeat(20_000) + " }}";
      assertThatThrownBy(() -> render(template, Map.of()))
          .as(around[0])
          .isInstanceOf(ChatTemplateException.class);
    }
    String blocks = "{% if true %}".repeat(5_000) + "{% endif %}".repeat(5_000);
    assertThatThrownBy(() -> render(blocks, Map.of())).isInstanceOf(ChatTemplateException.class);
  }

  /** {@code -Dquern.fuzz=N} makes N times as many cases. */
  @Test
  @SuppressWarnings("unchecked")
  void changedTemplatesEndInAnAnswer() throws IOException {
    List<String> templates = new ArrayList<>();
    Map<String, Object> variables;
    try (InputStream in = JinjaCasesTest.class.getResourceAsStream("cases.json")) {
      JsonNode root = JSON.readTree(in);
      root.get("cases").forEach(node -> templates.add(node.get("template").asText()));
      variables = JSON.convertValue(root.get("sets").elements().next(), Map.class);
    }
    int cases = 600 * Integer.getInteger("quern.fuzz", 1);
    int[] refused = new int[1];
    Assertions.assertTimeoutPreemptively(
        LONG,
        () -> {
          for (int seed = 0; seed < cases; seed++) {
            current = seed;
            refused[0] += refuses(changed(templates, new Random(seed)), variables) ? 1 : 0;
          }
        },
        () -> "case %d does not end".formatted(current));
    System.out.printf("fuzz: templates: %d cases, %d refused%n", cases, refused[0]);
    assertThat(refused[0]).isBetween(cases / 10, cases - 1);
  }

  private boolean refuses(String template, Map<String, Object> variables) {
    try {
      assertThat(render(template, variables)).isNotNull();
      return false;
    } catch (ChatTemplateException e) {
      assertThat(e.getMessage()).isNotBlank();
      return true;
    } catch (Throwable e) {
      throw new AssertionError("case %d ends in %s: %s".formatted(current, e, template), e);
    }
  }

  private static String changed(List<String> templates, Random random) {
    StringBuilder text = new StringBuilder(templates.get(random.nextInt(templates.size())));
    for (int i = random.nextInt(3); i >= 0 && !text.isEmpty(); i--) {
      int at = random.nextInt(text.length());
      int end = Math.min(text.length(), at + 1 + random.nextInt(6));
      switch (random.nextInt(4)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
        case 2 -> text.insert(at, text.substring(at, end));
        default -> text.setCharAt(at, (char) random.nextInt(128));
      }
    }
    return text.toString();
  }
}
