/** Batch analysis: hazards, waves of independent steps, one scratch layout. */
@NullMarked
package dev.quern.core.plan;

import org.jspecify.annotations.NullMarked;
