/** Tiny trained models as resources: the command's default model and the fixture of tests. */
@NullMarked
package dev.quern.fable;

import org.jspecify.annotations.NullMarked;
