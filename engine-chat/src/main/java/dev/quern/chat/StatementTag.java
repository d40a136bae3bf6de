package dev.quern.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A tag of the skeleton: hands its node to the {@link Renderer} of the current rendering. */
final class StatementTag implements Tag {
  private static final long serialVersionUID = 1L;

  /** Context variable that holds the renderer. */
  static final String RENDERER = "quern.renderer";

  private static final List<String> LINES =
      List.of("print", "assign", "elif", "else", "break", "continue");

  private static final List<String> BLOCKS =
      List.of("if", "for", "set", "macro", "call", "filter", "with", "generation");

  private final String name;
  private final boolean block;

  private StatementTag(String name, boolean block) {
    this.name = name;
    this.block = block;
  }

  /** All tags that a skeleton can contain. */
  static List<Tag> all() {
    List<Tag> tags = new ArrayList<>();
    LINES.forEach(name -> tags.add(new StatementTag(name, false)));
    BLOCKS.forEach(name -> tags.add(new StatementTag(name, true)));
    return tags;
  }

  /** Whether a tag of this name ends a block. */
  static boolean ends(String name) {
    return name.startsWith("end") && BLOCKS.contains(name.substring(3));
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
