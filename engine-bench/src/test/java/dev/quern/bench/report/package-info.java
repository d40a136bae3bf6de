@NullMarked
package dev.quern.bench.report;

import org.jspecify.annotations.NullMarked;
