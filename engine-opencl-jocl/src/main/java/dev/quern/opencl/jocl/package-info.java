/** The OpenCL interface over <a href="http://www.jocl.org">JOCL</a>. */
@NullMarked
package dev.quern.opencl.jocl;

import org.jspecify.annotations.NullMarked;
