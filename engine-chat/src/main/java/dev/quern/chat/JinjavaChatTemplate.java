package dev.quern.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import dev.quern.transformer.ChatMessage;
import dev.quern.transformer.ChatRequest;
import dev.quern.transformer.ChatTemplate;
import dev.quern.transformer.ChatTemplateException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A compiled template; each rendering has its own state. */
final class JinjavaChatTemplate implements ChatTemplate {
  /** Where jinjava's messages quote a tag, which is one of the skeleton. */
  private static final Pattern SKELETON =
      Pattern.compile("^Syntax error in '[^']*': | for tag defined as: .*$", Pattern.DOTALL);

  private final Jinjava jinjava = engine();
  private final TemplateCompiler.Compiled compiled;
  private final Map<String, String> specialTokens;
  private final Clock clock;

  JinjavaChatTemplate(String source, Map<String, String> specialTokens, Clock clock) {
    try {
      compiled = TemplateCompiler.compile(source);
    } catch (SyntaxException e) {
      throw new ChatTemplateException(e.line(), String.valueOf(e.getMessage()), e);
    } catch (StackOverflowError e) {
      throw tooDeep(e);
    }
    this.specialTokens = Map.copyOf(specialTokens);
    this.clock = clock;
  }

  /** No output limit, and nothing that a template prints is read as a template again. */
  private static Jinjava engine() {
    Jinjava jinjava =
        new Jinjava(
            JinjavaConfig.newBuilder()
                .withNestedInterpretationEnabled(false)
                .withLegacyOverrides(
                    LegacyOverrides.newBuilder().withAllowAdjacentTextNodes(true).build())
                .build());
    StatementTag.all().forEach(jinjava.getGlobalContext()::registerTag);
    return jinjava;
  }

  @Override
  public String render(ChatRequest request) {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(specialTokens);
    variables.put("messages", request.messages().stream().map(ChatMessage::fields).toList());
    variables.put("tools", request.tools().isEmpty() ? null : request.tools());
    variables.put("add_generation_prompt", request.addGenerationPrompt());
    variables.putAll(request.variables());
    return render(variables);
  }

  /** Renders with exactly these variables. */
  String render(Map<String, ? extends @Nullable Object> variables) {
    Scope scope = new Scope(Globals.scope(clock));
    variables.forEach((name, value) -> scope.set(name, Py.of(value)));
    Renderer renderer = new Renderer(compiled.statements(), scope);
    try {
      RenderResult result =
          jinjava.renderForResult(compiled.skeleton(), Map.of(StatementTag.RENDERER, renderer));
      if (!result.getErrors().isEmpty()) {
        throw error(result.getErrors().getFirst());
      }
      return result.getOutput();
    } catch (StackOverflowError e) {
      throw tooDeep(e);
    }
  }

  /** Templates are read and run by recursion, of which only a hostile one needs this much. */
  private static ChatTemplateException tooDeep(StackOverflowError e) {
    return new ChatTemplateException(1, "brackets or blocks are nested too deep", e);
  }

  private static ChatTemplateException error(TemplateError error) {
    for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
      if (cause instanceof ChatTemplateException known) {
        return known;
      }
    }
    Throwable cause = error.getException();
    return new ChatTemplateException(
        error.getLineno(),
        SKELETON.matcher(error.getMessage()).replaceAll(""),
        cause == null ? new IllegalStateException(error.toString()) : cause);
  }
}
