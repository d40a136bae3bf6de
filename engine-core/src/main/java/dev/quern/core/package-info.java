/** The backend SPI. */
@NullMarked
package dev.quern.core;

import org.jspecify.annotations.NullMarked;
