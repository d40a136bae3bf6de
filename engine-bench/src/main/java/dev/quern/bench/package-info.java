/** JMH benchmarks: one class a question. */
@NullMarked
package dev.quern.bench;

import org.jspecify.annotations.NullMarked;
