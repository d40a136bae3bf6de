@NullMarked
package dev.quern.core.event;

import org.jspecify.annotations.NullMarked;
