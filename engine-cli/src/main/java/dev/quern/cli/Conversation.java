package dev.quern.cli;

import dev.quern.tokenizer.Tokenizer;
import dev.quern.transformer.ChatMessage;
import dev.quern.transformer.ChatRequest;
import dev.quern.transformer.ChatTemplate;
import dev.quern.transformer.Generation;
import dev.quern.transformer.GenerationOptions;
import dev.quern.transformer.LanguageModel;
import dev.quern.transformer.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Messages so far and the session that has read them. */
final class Conversation implements AutoCloseable {
  /** Room that is kept for an answer before old messages are forgotten. */
  private static final int ANSWER_ROOM = 16;

  private final LanguageModel model;
  private final ChatTemplate template;
  private final Session session;
  private final Streams streams;
  private final List<ChatMessage> messages = new ArrayList<>();
  private final int pinned;

  Conversation(Loaded loaded, @Nullable String system, Streams streams) {
    this.model = loaded.model();
    this.streams = streams;
    this.template =
        model
            .chatTemplate()
            .orElseThrow(() ->
                new CommandException(
                    "chat: the model must have a chat template (tokenizer.chat_template) but"
                        + " has none; use 'quern generate'"));
    if (system != null) {
      messages.add(new ChatMessage("system", system));
    }
    pinned = messages.size();
    session = loaded.newSession();
  }

  /**
   * Prints the answer to a message and remembers both; neither if there is none.
   *
   * @throws dev.quern.transformer.ModelException if the context cannot hold the message
   */
  Generation answer(String message, GenerationOptions options) {
    messages.add(new ChatMessage("user", message));
    Generation generation;
    try {
      session.replace(tokens());
      generation = session.generate(options, Printer.to(streams, session::cancel));
    } catch (RuntimeException e) {
      messages.removeLast();
      throw e;
    }
    messages.add(new ChatMessage("assistant", generation.text()));
    return generation;
  }

  /** Stops a running answer; may be called from any thread. */
  void cancel() {
    session.cancel();
  }

  /** The conversation as tokens; the oldest exchanges are dropped where it does not fit. */
  private int[] tokens() {
    int[] tokens = encode();
    boolean dropped = false;
    while (tokens.length > model.context() - ANSWER_ROOM && messages.size() > pinned + 2) {
      messages.subList(pinned, pinned + 2).clear();
      tokens = encode();
      dropped = true;
    }
    if (dropped) {
      streams.say(
          "quern: the context of %d tokens is full: the oldest messages are forgotten; see --context"
              .formatted(model.context()));
    }
    return tokens;
  }

  /** A template usually prints the begin token itself; where it does not, the file decides. */
  private int[] encode() {
    Tokenizer tokenizer = model.tokenizer();
    int[] tokens = tokenizer.encode(template.render(ChatRequest.of(messages)), false, true);
    OptionalInt bos = tokenizer.bos();
    if (!tokenizer.addBos()
        || bos.isEmpty()
        || (tokens.length > 0 && tokens[0] == bos.getAsInt())) {
      return tokens;
    }
    int[] begun = new int[tokens.length + 1];
    begun[0] = bos.getAsInt();
    System.arraycopy(tokens, 0, begun, 1, tokens.length);
    return begun;
  }

  @Override
  public void close() {
    session.close();
  }
}
