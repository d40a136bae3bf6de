/** Hands out the OpenCL C sources of the engine. */
@NullMarked
package dev.quern.kernels.cl;

import org.jspecify.annotations.NullMarked;
