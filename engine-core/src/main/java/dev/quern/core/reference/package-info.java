/**
 * The reference backend: scalar, double sums, always present; the oracle of every other backend.
 */
@NullMarked
package dev.quern.core.reference;

import org.jspecify.annotations.NullMarked;
