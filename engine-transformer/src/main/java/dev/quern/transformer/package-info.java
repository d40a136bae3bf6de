/** Models, sessions and what they need around them. */
@NullMarked
package dev.quern.transformer;

import org.jspecify.annotations.NullMarked;
