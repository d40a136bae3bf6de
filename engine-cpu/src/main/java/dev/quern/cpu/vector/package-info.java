/** Kernels of the Vector API: the only package that touches {@code jdk.incubator.vector}. */
@NullMarked
package dev.quern.cpu.vector;

import org.jspecify.annotations.NullMarked;
