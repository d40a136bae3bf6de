package dev.quern.core;

import dev.quern.core.op.Op;
import java.util.List;

/**
 * How long one step of a batch took when it ran alone.
 *
 * @param ops the operations that the step does; empty for work of the backend's own, such as
 *     rounding activations for the steps that follow
 * @param kernel what ran it, for people to read
 * @param nanos nanoseconds
 */
public record StepTime(List<Op> ops, String kernel, long nanos) {
  public StepTime {
    ops = List.copyOf(ops);
  }
}
