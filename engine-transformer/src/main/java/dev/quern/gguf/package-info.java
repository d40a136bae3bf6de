/**
 * GGUF files, versions 2 and 3: a validating reader over mapped memory, and a writer.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The GGUF
 *     specification</a>
 */
@NullMarked
package dev.quern.gguf;

import org.jspecify.annotations.NullMarked;
