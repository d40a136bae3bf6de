@org.jspecify.annotations.NullMarked
package dev.quern.testkit;
