package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * BPE as SentencePiece does it: a space is written {@code ▁}, the text is cut into characters, and
 * the pair whose joint text is the token with the highest score is joined until none is. What is no
 * token becomes byte tokens.
 *
 * <p>A {@code ▁} in the text itself is encoded as its bytes, so that it does not come back as a
 * space.
 *
 * @see <a href="https://arxiv.org/abs/1808.06226">Kudo and Richardson, SentencePiece</a>
 */
final class SpmTokenizer extends VocabularyTokenizer {
  private static final String SCORES = "tokenizer.ggml.scores";
  private static final String SPACE = "▁";
  private static final byte[] SPACE_BYTES = SPACE.getBytes(StandardCharsets.UTF_8);

  private final SymbolTable symbols;
  private final int[] orders;
  private final int[] byteTokens = new int[256];
  private final boolean spacePrefix;
  private final BitSet takingWhiteSpace;

  SpmTokenizer(GgufMetadata metadata, Vocabulary vocabulary) {
    super(vocabulary);
    spacePrefix = metadata.findBoolean("tokenizer.ggml.add_space_prefix").orElse(true);
    takingWhiteSpace = takingWhiteSpace(metadata, vocabulary);
    symbols = new SymbolTable(vocabulary.size());
    Arrays.fill(byteTokens, NONE);
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] text = vocabulary.texts().utf8(id);
      symbols.append(text, 0, text.length);
      TokenType type = vocabulary.types().get(id);
      byte[] decoded = new byte[1];
      if (type.isText()) {
        symbols.index(id);
      } else if (type == TokenType.BYTE && ByteTokens.decode(text, decoded) == 1) {
        byteTokens[decoded[0] & 0xFF] = id;
      }
    }
    orders = orders(metadata, vocabulary.size());
  }

  @Override
  void encodeText(String text, boolean afterSpecial, IntList out) {
    String prefixed = spacePrefix && afterSpecial ? " " + text : text;
    TextMerger merger = new TextMerger(out);
    List<String> parts =
        hasBytes(SPACE_BYTES) ? List.of(prefixed.split(SPACE, -1)) : List.of(prefixed);
    for (int i = 0; i < parts.size(); i++) {
      if (i > 0) {
        emitBytes(SPACE_BYTES, 0, SPACE_BYTES.length, out);
      }
      merger.merge(parts.get(i).replace(" ", SPACE).getBytes(StandardCharsets.UTF_8));
    }
  }

  @Override
  boolean takesWhiteSpace(int token) {
    return takingWhiteSpace.get(token);
  }

  @Override
  public byte[] bytes(int token) {
    return switch (type(token)) {
      case NORMAL, UNDEFINED ->
          text(token).contains(SPACE)
              ? text(token).replace(SPACE, " ").getBytes(StandardCharsets.UTF_8)
              : symbols.bytes(token);
      case USER_DEFINED -> symbols.bytes(token);
      case BYTE -> {
        byte[] decoded = new byte[1];
        yield ByteTokens.decode(symbols.bytes(token), decoded) == 1 ? decoded : new byte[0];
      }
      case CONTROL, UNKNOWN, UNUSED -> new byte[0];
    };
  }

  @Override
  public byte[] bytes(int previous, int token) {
    byte[] bytes = bytes(token);
    boolean prefixed =
        spacePrefix
            && (previous == NONE || isWhole(previous))
            && !isWhole(token)
            && bytes.length > 0
            && bytes[0] == ' ';
    return prefixed ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
  }

  private boolean isWhole(int token) {
    return switch (type(token)) {
      case CONTROL, UNKNOWN, USER_DEFINED -> true;
      case NORMAL, UNDEFINED, UNUSED, BYTE -> false;
    };
  }

  private boolean hasBytes(byte[] bytes) {
    for (byte b : bytes) {
      if (byteTokens[b & 0xFF] == NONE) {
        return false;
      }
    }
    return true;
  }

  private void emitBytes(byte[] bytes, int from, int to, IntList out) {
    for (int i = from; i < to; i++) {
      int token = byteTokens[bytes[i] & 0xFF];
      if (token == NONE) {
        // one unknown token for the character, as SentencePiece does
        out.add(
            unknown(
                "\"%s\"".formatted(new String(bytes, from, to - from, StandardCharsets.UTF_8))));
        return;
      }
      out.add(token);
    }
  }

  /** The place of each token in the order of merges: the highest score first. */
  private static int[] orders(GgufMetadata metadata, int size) {
    float[] scores = metadata.requireFloats(SCORES);
    if (scores.length != size) {
      throw metadata.problem(
          SCORES,
          "must have an element for each of the %d tokens but has %d"
              .formatted(size, scores.length));
    }
    int[] orders = new int[size];
    for (int i = 0; i < size; i++) {
      // Adding 0 turns -0 to 0. The bits of floats are in order, those of negative ones reversed.
      int bits = Float.floatToIntBits(scores[i] + 0f);
      orders[i] = ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
    }
    return orders;
  }

  /** The file does not say so, but the control tokens of Phi-3 take the white space after them. */
  private static BitSet takingWhiteSpace(GgufMetadata metadata, Vocabulary vocabulary) {
    BitSet tokens = new BitSet();
    String name = metadata.findString("general.name").orElse("").toLowerCase(Locale.ROOT);
    if (name.contains("phi-3") || name.contains("phi3")) {
      Set<String> not = Set.of("<unk>", "<s>", "<|endoftext|>");
      for (int id = 0; id < vocabulary.size(); id++) {
        if (vocabulary.types().get(id) == TokenType.CONTROL
            && !not.contains(vocabulary.texts().get(id))) {
          tokens.set(id);
        }
      }
    }
    return tokens;
  }

  /** Merges one text after the other. */
  private final class TextMerger extends PairMerger {
    private final IntList out;
    private byte[] text = new byte[0];

    TextMerger(IntList out) {
      this.out = out;
    }

    void merge(byte[] bytes) {
      text = bytes;
      clear();
      int from = 0;
      for (int to = 1; to <= bytes.length; to++) {
        if (to == bytes.length || (bytes[to] & 0xC0) != 0x80) {
          add(symbols.find(bytes, from, to), from, to);
          from = to;
        }
      }
      merge();
    }

    @Override
    int rule(int left, int right) {
      return symbols.find(text, startOf(left), endOf(right));
    }

    @Override
    int order(int rule) {
      return orders[rule];
    }

    @Override
    int result(int rule) {
      return rule;
    }

    @Override
    void emit(int position) {
      int from = startOf(position);
      int to = endOf(position);
      if (symbolAt(position) != SymbolTable.ABSENT) {
        out.add(symbolAt(position));
      } else if (Arrays.equals(text, from, to, SPACE_BYTES, 0, SPACE_BYTES.length)) {
        // The vocabulary has no token for a space: its byte stands for it.
        emitBytes(new byte[] {' '}, 0, 1, out);
      } else {
        emitBytes(text, from, to, out);
      }
    }
  }
}
