/**
 * What backends tell the JDK Flight Recorder. A disabled event costs nothing: its object does not
 * escape, so the compiler leaves it out.
 */
@NullMarked
package dev.quern.core.event;

import org.jspecify.annotations.NullMarked;
