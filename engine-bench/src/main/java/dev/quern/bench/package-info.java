/** JMH benchmarks, one class a question, and the suites that run them. */
@NullMarked
package dev.quern.bench;

import org.jspecify.annotations.NullMarked;
