/** A backend made of two: what does not fit the first runs on the second. */
@NullMarked
package dev.quern.core.hybrid;

import org.jspecify.annotations.NullMarked;
