/**
 * The conformance suite of backends, and helpers that the tests of all modules share.
 *
 * <p>A case records a batch once for the backend under test and once for the reference; both are
 * submitted with the same seeded contents, and every output is compared within a {@link
 * dev.quern.testkit.Tolerance} that carries its reason.
 */
@NullMarked
package dev.quern.testkit;

import org.jspecify.annotations.NullMarked;
