package dev.quern.opencl;

import dev.quern.core.CommandBatch;
import dev.quern.core.plan.Plan;
import java.util.List;

/**
 * A batch made ready to launch.
 *
 * @param batch the batch
 * @param steps its steps in the order of recording
 * @param refusals for each step, why faster kernels were not taken
 * @param bodies the kernel bodies they use, each once
 * @param plan waves and scratch layout
 * @param scratch memory of the temporaries
 * @param encoder the steps as words
 */
record Lowered(
    CommandBatch batch,
    List<Step> steps,
    List<List<String>> refusals,
    List<Body> bodies,
    Plan plan,
    Region scratch,
    StepEncoder encoder) {
  /** Whether a step runs on the host. */
  boolean needsHost() {
    return steps.stream().anyMatch(Step.Host.class::isInstance);
  }
}
