/** What the steps of the backend ask of a set of kernels, and the scalar set. */
@NullMarked
package dev.quern.cpu.kernel;

import org.jspecify.annotations.NullMarked;
