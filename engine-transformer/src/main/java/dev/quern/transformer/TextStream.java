package dev.quern.transformer;

import dev.quern.tokenizer.TokenDecoder;
import dev.quern.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.Consumer;

/** Turns tokens into text as they come: whole characters, up to a stop text. */
final class TextStream {
  private final TokenDecoder characters;
  private final StopText stop;
  private final Consumer<String> sink;
  private final StringBuilder passed = new StringBuilder();

  TextStream(Tokenizer tokenizer, int previous, List<String> stops, Consumer<String> sink) {
    this.characters = new TokenDecoder(tokenizer, previous);
    this.stop = new StopText(stops);
    this.sink = sink;
  }

  void accept(int token) {
    pass(stop.accept(characters.accept(token)));
  }

  /** Whether a stop text appeared. */
  boolean stopped() {
    return stop.found();
  }

  /** Lets out what was held back. */
  void finish() {
    pass(stop.accept(characters.finish()));
    if (!stop.found()) {
      pass(stop.rest());
    }
  }

  /** All text let through. */
  String passed() {
    return passed.toString();
  }

  private void pass(String text) {
    if (!text.isEmpty()) {
      passed.append(text);
      sink.accept(text);
    }
  }
}
