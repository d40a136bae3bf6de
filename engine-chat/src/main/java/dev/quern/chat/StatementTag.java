package dev.quern.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A tag of the skeleton: hands its node to the {@link Renderer} of the current rendering. */
final class StatementTag implements Tag {
  private static final long serialVersionUID = 1L;

  /** Context variable that holds the renderer. */
  static final String RENDERER = "quern.renderer";

  private final String name;
  private final boolean block;

  private StatementTag(String name, boolean block) {
    this.name = name;
    this.block = block;
  }

  /** All tags that a skeleton can contain. */
  static List<Tag> all() {
    return List.of(
        new StatementTag("print", false),
        new StatementTag("set", false),
        new StatementTag("elif", false),
        new StatementTag("else", false),
        new StatementTag("break", false),
        new StatementTag("continue", false),
        new StatementTag("if", true),
        new StatementTag("for", true),
        new StatementTag("setblock", true),
        new StatementTag("macro", true),
        new StatementTag("call", true),
        new StatementTag("filter", true),
        new StatementTag("with", true),
        new StatementTag("generation", true));
  }

  @Override
  public String getName() {
    return name;
  }

  @Override
  public @Nullable String getEndTagName() {
    return block ? "end" + name : null;
  }

  @Override
  public String interpret(TagNode node, JinjavaInterpreter interpreter) {
    Renderer renderer = (Renderer) Objects.requireNonNull(interpreter.getContext().get(RENDERER));
    return renderer.render(node);
  }
}
