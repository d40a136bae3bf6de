package dev.quern.tokenizer;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/** What the algorithms share: special tokens in the text, tokens around it, questions of ids. */
abstract class VocabularyTokenizer implements Tokenizer {
  private final Vocabulary vocabulary;
  private final SpecialTokens always;
  private final SpecialTokens special;

  VocabularyTokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    Map<String, Integer> userDefined = new HashMap<>();
    Map<String, Integer> all = new HashMap<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      switch (vocabulary.types().get(id)) {
        case USER_DEFINED -> {
          userDefined.putIfAbsent(vocabulary.texts().get(id), id);
          all.putIfAbsent(vocabulary.texts().get(id), id);
        }
        case CONTROL, UNKNOWN -> all.putIfAbsent(vocabulary.texts().get(id), id);
        case NORMAL, UNDEFINED, UNUSED, BYTE -> {}
      }
    }
    this.always = new SpecialTokens(userDefined);
    this.special = new SpecialTokens(all);
  }

  /**
   * Encodes ordinary text.
   *
   * @param afterSpecial true at the beginning and after a token that was read as a whole
   */
  abstract void encodeText(String text, boolean afterSpecial, IntList out);

  /** True if white space after {@code token}, which was read as a whole, belongs to it. */
  boolean takesWhiteSpace(int token) {
    return false;
  }

  @Override
  public final int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    IntList out = new IntList();
    if (addSpecial && vocabulary.addBos()) {
      vocabulary.bos().ifPresent(out::add);
    }
    SpecialTokens parsed = parseSpecial ? special : always;
    boolean afterSpecial = true;
    int at = 0;
    while (at < text.length()) {
      SpecialTokens.Match match = parsed.next(text, at);
      if (match.start() > at) {
        encodeText(text.substring(at, match.start()), afterSpecial, out);
        afterSpecial = false;
      }
      at = match.end();
      if (match.token() != NONE) {
        out.add(match.token());
        afterSpecial = true;
        if (takesWhiteSpace(match.token())) {
          at = skipWhiteSpace(text, at);
        }
      }
    }
    if (addSpecial && vocabulary.addEos()) {
      vocabulary.eos().ifPresent(out::add);
    }
    return out.toArray();
  }

  @Override
  public final String text(int token) {
    return vocabulary.texts().get(checked(token));
  }

  @Override
  public final OptionalInt find(String text) {
    int found = vocabulary.texts().indexOf(text);
    return found < 0 ? OptionalInt.empty() : OptionalInt.of(found);
  }

  @Override
  public final int size() {
    return vocabulary.size();
  }

  @Override
  public final OptionalInt bos() {
    return vocabulary.bos();
  }

  @Override
  public final OptionalInt eos() {
    return vocabulary.eos();
  }

  @Override
  public final boolean addBos() {
    return vocabulary.addBos();
  }

  @Override
  public final boolean isEndOfGeneration(int token) {
    return token >= 0 && vocabulary.ends().get(token);
  }

  @Override
  public final boolean isControl(int token) {
    return type(token) == TokenType.CONTROL;
  }

  /** The token as the vocabulary writes it, in UTF-8. */
  final byte[] stored(int token) {
    return vocabulary.texts().utf8(checked(token));
  }

  final TokenType type(int token) {
    return vocabulary.types().get(checked(token));
  }

  /** The token for what no other can express. */
  final int unknown(String what) {
    return vocabulary
        .unknown()
        .orElseThrow(() ->
            new TokenizerException(
                "text: every byte must have a token but %s has none".formatted(what)));
  }

  private static int skipWhiteSpace(String text, int from) {
    int at = from;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private int checked(int token) {
    if (token < 0 || token >= vocabulary.size()) {
      throw new IllegalArgumentException(
          "token: must be 0 to %d but is %d".formatted(vocabulary.size() - 1, token));
    }
    return token;
  }
}
