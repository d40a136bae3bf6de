/**
 * Chat templates: the language of Jinja with the meaning that Python gives it.
 *
 * <p>jinjava builds the tree of tags, walks it and collects errors. What it lacks to read the
 * templates of real models is here: the white space rules ({@link
 * dev.quern.chat.TemplateCompiler}), expressions with Python's meaning ({@link
 * dev.quern.chat.Evaluator}) and the scopes and loops of Jinja ({@link dev.quern.chat.Renderer}).
 * What of this jinjava's hooks could take over, and why that is not enough, was measured: see
 * docs/design.md.
 */
@NullMarked
package dev.quern.chat;

import org.jspecify.annotations.NullMarked;
