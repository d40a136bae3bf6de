/** The backend {@code cpu}: fixed workers that run a batch wave by wave, weights used in place. */
@NullMarked
package dev.quern.cpu;

import org.jspecify.annotations.NullMarked;
