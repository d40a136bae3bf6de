package dev.quern.tokenizer;

import dev.quern.gguf.GgufMetadata;

/** Makes tokenizers from the metadata of a file. */
public final class Tokenizers {
  private static final String MODEL = "tokenizer.ggml.model";
  private static final String PRE = "tokenizer.ggml.pre";

  private Tokenizers() {}

  /**
   * The tokenizer that a file describes: byte-level BPE where {@code tokenizer.ggml.model} is
   * {@code gpt2}, SentencePiece's BPE where it is {@code llama}, its unigram model where it is
   * {@code t5}.
   *
   * @throws TokenizerException if the model or the pre-tokenizer is not known, or the vocabulary
   *     contradicts itself; the message names it
   * @throws dev.quern.gguf.GgufException if a key is missing or has another type
   */
  public static Tokenizer from(GgufMetadata metadata) {
    String model = metadata.requireString(MODEL);
    return switch (model) {
      case "gpt2" -> {
        PreTokenizer preTokenizer = preTokenizer(metadata);
        yield new BpeTokenizer(
            metadata, Vocabulary.of(metadata, preTokenizer.addBos(), false), preTokenizer);
      }
      case "llama" -> new SpmTokenizer(metadata, Vocabulary.of(metadata, true, false));
      case "t5" -> new UnigramTokenizer(metadata, Vocabulary.of(metadata, false, true));
      default ->
          throw new TokenizerException(
              "%s: metadata %s: must be one of gpt2, llama, t5 but is %s"
                  .formatted(metadata.source(), MODEL, model));
    };
  }

  private static PreTokenizer preTokenizer(GgufMetadata metadata) {
    String name = metadata.requireString(PRE);
    return PreTokenizer.find(name)
        .orElseThrow(() ->
            new TokenizerException(
                "%s: metadata %s: must be one of %s but is %s; a guess would give wrong tokens"
                    .formatted(metadata.source(), PRE, PreTokenizer.names(), name)));
  }
}
