/** Operations as data: one record per operation, its shape rules in the constructor. */
@NullMarked
package dev.quern.core.op;

import org.jspecify.annotations.NullMarked;
