/** The {@code quern} command: the only code that reads system properties, prints and exits. */
@NullMarked
package dev.quern.cli;

import org.jspecify.annotations.NullMarked;
