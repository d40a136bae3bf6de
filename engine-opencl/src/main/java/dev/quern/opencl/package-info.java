/** The OpenCL backend. */
@NullMarked
package dev.quern.opencl;

import org.jspecify.annotations.NullMarked;
