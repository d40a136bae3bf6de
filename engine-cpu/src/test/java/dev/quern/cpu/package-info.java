/** Tests of the backend {@code cpu}. */
@NullMarked
package dev.quern.cpu;

import org.jspecify.annotations.NullMarked;
