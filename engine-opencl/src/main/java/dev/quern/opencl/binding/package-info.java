/** The part of OpenCL that the engine uses, in Java terms, and its binding through FFM. */
@NullMarked
package dev.quern.opencl.binding;

import org.jspecify.annotations.NullMarked;
