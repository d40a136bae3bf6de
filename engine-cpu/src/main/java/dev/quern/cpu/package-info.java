/**
 * The backend {@code cpu}: fixed workers that run a batch wave by wave, quantised weights
 * interleaved.
 */
@NullMarked
package dev.quern.cpu;

import org.jspecify.annotations.NullMarked;
