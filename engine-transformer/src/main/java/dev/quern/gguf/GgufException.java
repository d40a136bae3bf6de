package dev.quern.gguf;

/**
 * A file is not a GGUF file that can be used. The message names the file, the byte offset or the
 * metadata key, the rule, and what was found instead.
 */
public final class GgufException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public GgufException(String message) {
    super(message);
  }

  /** {@code <source>: byte <offset>: <problem>}. */
  static GgufException at(String source, long offset, String problem) {
    return new GgufException("%s: byte %d: %s".formatted(source, offset, problem));
  }
}
