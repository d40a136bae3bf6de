package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;
import dev.quern.gguf.GgufStrings;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a file says of its tokens, whatever the algorithm.
 *
 * @param texts tokens as the file writes them
 * @param types one for each token
 * @param ends tokens that end a generation
 * @param bos begin of sequence
 * @param eos end of sequence
 * @param unknown stands for what no token can express
 * @param addBos texts begin with {@code bos}
 * @param addEos texts end with {@code eos}
 */
record Vocabulary(
    GgufStrings texts,
    List<TokenType> types,
    BitSet ends,
    OptionalInt bos,
    OptionalInt eos,
    OptionalInt unknown,
    boolean addBos,
    boolean addEos) {
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";

  /** Reads the metadata; {@code addBos} and {@code addEos} hold where the file does not say. */
  static Vocabulary of(GgufMetadata metadata, boolean addBos, boolean addEos) {
    GgufStrings texts = metadata.requireStrings(TOKENS);
    if (texts.isEmpty()) {
      throw new TokenizerException(
          "%s: metadata %s: must not be empty but is".formatted(metadata.source(), TOKENS));
    }
    TokenType[] types = types(metadata, texts.size());
    Map<String, Integer> named = named(texts);
    named.values().forEach(id -> types[id] = TokenType.CONTROL);
    BitSet ends = EndOfGeneration.of(metadata, texts.size(), named);
    OptionalInt bos = id(metadata, "bos_token_id", texts.size());
    OptionalInt eos = id(metadata, "eos_token_id", texts.size());
    return new Vocabulary(
        texts,
        List.of(types),
        ends,
        bos,
        eos,
        unknown(metadata, types),
        bos.isPresent() && metadata.findBoolean("tokenizer.ggml.add_bos_token").orElse(addBos),
        eos.isPresent() && metadata.findBoolean("tokenizer.ggml.add_eos_token").orElse(addEos));
  }

  int size() {
    return types.size();
  }

  private static TokenType[] types(GgufMetadata metadata, int size) {
    TokenType[] types = new TokenType[size];
    Arrays.fill(types, TokenType.NORMAL);
    metadata
        .findInts(TYPES)
        .ifPresent(numbers -> {
          if (numbers.length != size) {
            throw new TokenizerException(
                "%s: metadata %s: must have an element for each of the %d tokens but has %d"
                    .formatted(metadata.source(), TYPES, size, numbers.length));
          }
          Arrays.setAll(types, i -> TokenType.of(numbers[i]));
        });
    return types;
  }

  private static Map<String, Integer> named(GgufStrings texts) {
    Map<String, Integer> named = new HashMap<>();
    for (int i = 0; i < texts.size(); i++) {
      if (EndOfGeneration.mayBeNamed(texts.utf8(i)) && EndOfGeneration.isNamed(texts.get(i))) {
        named.putIfAbsent(texts.get(i), i);
      }
    }
    return named;
  }

  /** The token that the file names, else the first whose type says so. */
  private static OptionalInt unknown(GgufMetadata metadata, TokenType[] types) {
    OptionalInt named = id(metadata, "unknown_token_id", types.length);
    return named.isPresent()
        ? named
        : IntStream.range(0, types.length).filter(i -> types[i] == TokenType.UNKNOWN).findFirst();
  }

  private static OptionalInt id(GgufMetadata metadata, String name, int size) {
    // Some files write -1 or 2^32 - 1 for none.
    return metadata.findLong("tokenizer.ggml." + name).stream()
        .filter(id -> id >= 0 && id < size)
        .mapToInt(id -> (int) id)
        .findFirst();
  }
}
