/**
 * Text to tokens and back: byte-level BPE and SentencePiece, BPE and unigram, from GGUF metadata.
 */
@NullMarked
package dev.quern.tokenizer;

import org.jspecify.annotations.NullMarked;
