@org.jspecify.annotations.NullMarked
package dev.quern.core.plan;
