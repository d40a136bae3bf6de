/** Pages and tables of what the benchmarks measured, and the gate that watches their ratios. */
@NullMarked
package dev.quern.bench.report;

import org.jspecify.annotations.NullMarked;
