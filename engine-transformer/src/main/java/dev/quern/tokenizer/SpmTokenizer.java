package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * BPE as SentencePiece does it: the text is cut into characters, and the pair whose joint text is
 * the token with the highest score is joined until none is.
 */
final class SpmTokenizer extends SentencePieceTokenizer {
  private final SymbolTable symbols;
  private final int[] orders;
  private final BitSet takingWhiteSpace;

  SpmTokenizer(GgufMetadata metadata, Vocabulary vocabulary) {
    super(metadata, vocabulary, true);
    takingWhiteSpace = takingWhiteSpace(metadata, vocabulary);
    symbols = new SymbolTable(vocabulary.size());
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] text = vocabulary.texts().utf8(id);
      symbols.append(text, 0, text.length);
      if (vocabulary.types().get(id).isText()) {
        symbols.index(id);
      }
    }
    orders = orders(scores(metadata, vocabulary.size()));
  }

  @Override
  void encodeText(String text, boolean afterSpecial, IntList out) {
    String prefixed = spacePrefix() && afterSpecial ? " " + text : text;
    TextMerger merger = new TextMerger(out);
    List<String> parts = keepsBytes() ? List.of(prefixed.split(SPACE, -1)) : List.of(prefixed);
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

  /** The place of each token in the order of merges: the highest score first. */
  private static int[] orders(float[] scores) {
    int[] orders = new int[scores.length];
    for (int i = 0; i < scores.length; i++) {
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
