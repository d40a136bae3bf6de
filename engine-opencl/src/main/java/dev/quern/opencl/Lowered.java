package dev.quern.opencl;

import dev.quern.core.CommandBatch;
import dev.quern.core.Tensor;
import dev.quern.core.plan.Plan;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
 * @param notOneLaunch why this is not one launch for a token of a decoder; empty if it is
 * @param weights the weights they read, in the order they read them in
 */
record Lowered(
    CommandBatch batch,
    List<Step> steps,
    List<List<String>> refusals,
    List<Body> bodies,
    Plan plan,
    Region scratch,
    StepEncoder encoder,
    String notOneLaunch,
    Set<DeviceBuffer> weights) {
  /** The weights that these steps read. */
  static Set<DeviceBuffer> weights(List<Step> steps) {
    return steps.stream()
        .flatMap(Step::tensors)
        .map(Tensor::storage)
        .filter(DeviceBuffer.class::isInstance)
        .map(DeviceBuffer.class::cast)
        .filter(DeviceBuffer::weights)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The step that does one token of a decoder, if there is one. */
  Step.@Nullable Decoder decoder() {
    return steps.getFirst() instanceof Step.Decoder decoder ? decoder : null;
  }

  /** Whether a step finds its operands through the control words. */
  boolean usesControl() {
    return steps.stream().anyMatch(Step.Kernel.class::isInstance);
  }

  /** Whether a step runs on the host. */
  boolean needsHost() {
    return steps.stream().anyMatch(Step.Host.class::isInstance);
  }
}
