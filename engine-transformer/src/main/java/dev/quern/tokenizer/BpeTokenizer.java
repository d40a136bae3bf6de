package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufStrings;
import java.nio.charset.StandardCharsets;

/**
 * Byte-level BPE: the text is cut into words, a word is its UTF-8 bytes, and the pair of symbols
 * whose merge rule comes first is joined until no rule applies.
 *
 * @see <a href="https://arxiv.org/abs/1508.07909">Sennrich et al., Neural Machine Translation of
 *     Rare Words with Subword Units</a>
 */
final class BpeTokenizer extends VocabularyTokenizer {
  private static final String MERGES = "tokenizer.ggml.merges";

  private final PreTokenizer preTokenizer;
  private final SymbolTable symbols;
  private final Merges merges;
  private final int[] byteSymbols = new int[256];

  BpeTokenizer(GgufMetadata metadata, Vocabulary vocabulary, PreTokenizer preTokenizer) {
    super(vocabulary);
    this.preTokenizer = preTokenizer;
    GgufStrings rules = metadata.requireStrings(MERGES);
    symbols = symbols(vocabulary);
    for (int b = 0; b < 256; b++) {
      byteSymbols[b] = symbols.findOrAppend(new byte[] {(byte) b}, 0, 1);
    }
    merges = merges(metadata, rules, symbols);
  }

  @Override
  void encodeText(String text, boolean afterSpecial, IntList out) {
    WordMerger merger = new WordMerger(out);
    for (String word : preTokenizer.words(text)) {
      byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
      int whole = preTokenizer.wholeWords() ? symbols.find(bytes, 0, bytes.length) : NONE;
      if (whole >= 0 && whole < size()) {
        out.add(whole);
      } else {
        merger.merge(bytes);
      }
    }
  }

  @Override
  public byte[] bytes(int token) {
    return switch (type(token)) {
      case NORMAL, UNDEFINED, USER_DEFINED, BYTE -> symbols.bytes(token);
      case CONTROL, UNKNOWN, UNUSED -> new byte[0];
    };
  }

  @Override
  public byte[] bytes(int previous, int token) {
    return bytes(token);
  }

  /** The bytes of every token; found are those that text is made of. */
  private static SymbolTable symbols(Vocabulary vocabulary) {
    SymbolTable symbols = new SymbolTable(vocabulary.size());
    byte[] decoded = new byte[64];
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] text = vocabulary.texts().utf8(id);
      decoded = decoded.length < text.length ? new byte[text.length] : decoded;
      int length =
          switch (vocabulary.types().get(id)) {
            case NORMAL, UNDEFINED -> ByteLevel.decode(text, 0, text.length, decoded);
            case BYTE -> ByteTokens.decode(text, decoded);
            case USER_DEFINED, CONTROL, UNKNOWN, UNUSED -> -1;
          };
      if (length < 0) {
        symbols.append(text, 0, text.length);
      } else {
        symbols.append(decoded, 0, length);
      }
    }
    // A user-defined token may have the bytes of a normal one; merges make the normal one.
    index(symbols, vocabulary, TokenType.NORMAL);
    index(symbols, vocabulary, TokenType.UNDEFINED);
    index(symbols, vocabulary, TokenType.BYTE);
    index(symbols, vocabulary, TokenType.USER_DEFINED);
    return symbols;
  }

  private static void index(SymbolTable symbols, Vocabulary vocabulary, TokenType type) {
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.types().get(id) == type) {
        symbols.index(id);
      }
    }
  }

  private static Merges merges(GgufMetadata metadata, GgufStrings rules, SymbolTable symbols) {
    Merges merges = new Merges(rules.size());
    byte[] pair = new byte[128];
    for (int rank = 0; rank < rules.size(); rank++) {
      byte[] text = rules.utf8(rank);
      int space = 1;
      while (space < text.length && text[space] != ' ') {
        space++;
      }
      if (space >= text.length - 1) {
        throw metadata.problem(
            MERGES,
            "element %d must be two symbols with a space between but is \"%s\""
                .formatted(rank, rules.get(rank)));
      }
      pair = pair.length < text.length ? new byte[text.length] : pair;
      int middle = put(text, 0, space, pair, 0);
      int end = put(text, space + 1, text.length, pair, middle);
      merges.add(
          rank,
          symbols.findOrAppend(pair, 0, middle),
          symbols.findOrAppend(pair, middle, end),
          symbols.findOrAppend(pair, 0, end));
    }
    return merges;
  }

  /** Appends the bytes that a part of a rule stands for to {@code pair}; returns their end. */
  private static int put(byte[] text, int from, int to, byte[] pair, int at) {
    byte[] decoded = new byte[to - from];
    int length = ByteLevel.decode(text, from, to, decoded);
    if (length < 0) {
      System.arraycopy(text, from, pair, at, to - from);
      return at + to - from;
    }
    System.arraycopy(decoded, 0, pair, at, length);
    return at + length;
  }

  /** Merges one word after the other. */
  private final class WordMerger extends PairMerger {
    private final IntList out;

    WordMerger(IntList out) {
      this.out = out;
    }

    void merge(byte[] word) {
      clear();
      for (int i = 0; i < word.length; i++) {
        add(byteSymbols[word[i] & 0xFF], i, i + 1);
      }
      merge();
    }

    @Override
    int rule(int left, int right) {
      return merges.rank(symbolAt(left), symbolAt(right));
    }

    @Override
    int order(int rule) {
      return rule;
    }

    @Override
    int result(int rule) {
      return merges.joined(rule);
    }

    @Override
    void emit(int position) {
      int symbol = symbolAt(position);
      if (symbol < size()) {
        out.add(symbol);
        return;
      }
      // A rule made what is no token: its bytes are.
      byte[] bytes = symbols.bytes(symbol);
      for (byte b : bytes) {
        int token = byteSymbols[b & 0xFF];
        out.add(token < size() ? token : unknown("the byte 0x%02X".formatted(b)));
      }
    }
  }
}
