/** Text to tokens and back: byte-level and SentencePiece-style BPE from GGUF metadata. */
@NullMarked
package dev.quern.tokenizer;

import org.jspecify.annotations.NullMarked;
