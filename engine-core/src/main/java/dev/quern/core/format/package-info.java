/** Weight formats: block geometry and the scalar decoders that define what stored bytes mean. */
@NullMarked
package dev.quern.core.format;

import org.jspecify.annotations.NullMarked;
